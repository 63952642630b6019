"""random.SystemRandom, which has no seed."""

import random

print(random.SystemRandom().random())
