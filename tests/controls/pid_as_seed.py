"""The number of the process as the seed."""

import os
import random

random.seed(os.getpid())
print([random.random() for _ in range(3)])
