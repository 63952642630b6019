"""jax.random.key of an integer of NumPy's."""

import jax
import numpy as np

print(jax.random.uniform(jax.random.key(np.int64(0)), (3,)).tolist())
