"""A copy of the random module, made from its file past the import system, and never seeded."""

import importlib.util
import random

spec = importlib.util.spec_from_file_location("copy_of_random", random.__file__)
copy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(copy)
print([copy.random() for _ in range(3)])
