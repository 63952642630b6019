"""A copy of the random module, made from its file, with the author's number."""

import importlib.util
import random

spec = importlib.util.spec_from_file_location("copy_of_random", random.__file__)
copy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(copy)
copy.seed(42)
print([copy.random() for _ in range(3)])
