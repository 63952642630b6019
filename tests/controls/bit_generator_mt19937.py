"""The bit generator MT19937 with the author's number."""

import numpy as np

print(np.random.Generator(np.random.MT19937(3)).random(3).tolist())
