"""A RandomState that is seeded anew after it was made."""

import numpy as np

state = np.random.RandomState(1)
state.seed(2)
print(state.rand(3).tolist())
