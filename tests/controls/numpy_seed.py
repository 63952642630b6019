"""NumPy's global generator with the author's number."""

import numpy as np

np.random.seed(42)
print(np.random.rand(3).tolist())
