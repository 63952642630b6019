"""Generators that a NumPy Generator with the author's number spawns."""

import numpy as np

print([child.random() for child in np.random.default_rng(5).spawn(3)])
