"""Forked children that draw from the random module."""

import os
import random

for _child in range(3):
    if os.fork() == 0:
        print(random.random(), end=" ", flush=True)
        os._exit(0)
    os.wait()
