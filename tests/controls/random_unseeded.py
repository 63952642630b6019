"""The random module, never seeded."""

import random

print([random.random() for _ in range(3)])
