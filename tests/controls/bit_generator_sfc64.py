"""The bit generator SFC64 with the author's number."""

import numpy as np

print(np.random.Generator(np.random.SFC64(3)).random(3).tolist())
