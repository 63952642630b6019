"""Generators of the children of a SeedSequence with the author's number."""

import numpy as np

children = np.random.SeedSequence(5).spawn(3)
print([np.random.default_rng(child).random() for child in children])
