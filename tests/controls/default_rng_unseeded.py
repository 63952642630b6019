"""NumPy's default_rng() without a seed."""

import numpy as np

print(np.random.default_rng().random(3).tolist())
