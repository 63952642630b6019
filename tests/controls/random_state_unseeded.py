"""An own RandomState, never seeded."""

import numpy as np

print(np.random.RandomState().rand(3).tolist())
