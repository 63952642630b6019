"""random.seed with the author's number, after importlib.reload(random)."""

import importlib
import random

importlib.reload(random)
random.seed(42)
print([random.random() for _ in range(3)])
