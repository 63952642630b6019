"""Forked children that draw from NumPy's global generator."""

import os

import numpy as np

np.random.rand()
for _child in range(3):
    if os.fork() == 0:
        print(np.random.rand(), end=" ", flush=True)
        os._exit(0)
    os.wait()
