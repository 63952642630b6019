"""A second copy of the random module: imported after the first was taken from sys.modules."""

import random
import sys

del sys.modules["random"]
first = random
import random  # noqa: E402

assert random is not first
print([random.random() for _ in range(3)])
