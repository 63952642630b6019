"""The bit generator PCG64DXSM with the author's number."""

import numpy as np

print(np.random.Generator(np.random.PCG64DXSM(3)).random(3).tolist())
