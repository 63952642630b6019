"""The bit generator PCG64 with the author's number."""

import numpy as np

print(np.random.Generator(np.random.PCG64(3)).random(3).tolist())
