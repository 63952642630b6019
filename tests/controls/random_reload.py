"""The random module, executed again by importlib.reload and never seeded."""

import importlib
import random

importlib.reload(random)
print([random.random() for _ in range(3)])
