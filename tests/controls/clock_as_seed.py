"""The clock as the seed."""

import random
import time

random.seed(time.time_ns())
print([random.random() for _ in range(3)])
