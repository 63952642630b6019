"""An own generator of the random module with the author's number."""

import random

generator = random.Random(0)
print([generator.random() for _ in range(3)])
