"""An own generator of the random module, never seeded."""

import random

generator = random.Random()
print([generator.random() for _ in range(3)])
