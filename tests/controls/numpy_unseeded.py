"""NumPy's global generator, never seeded."""

import numpy as np

print(np.random.rand(3).tolist())
