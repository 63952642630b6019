"""NumPy's default_rng with the author's number."""

import numpy as np

print(np.random.default_rng(0).random(3).tolist())
