"""The bit generator Philox with the author's number."""

import numpy as np

print(np.random.Generator(np.random.Philox(3)).random(3).tolist())
