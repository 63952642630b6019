"""An own RandomState with the author's number."""

import numpy as np

print(np.random.RandomState(0).rand(3).tolist())
