"""A SeedSequence without entropy of its own."""

import numpy as np

print(np.random.SeedSequence().generate_state(3).tolist())
