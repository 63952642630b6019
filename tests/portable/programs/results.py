"""Digests of named results, printed one per line, for comparison with another machine's."""

import sys

import numpy as np

import seedlock

TYPE = sys.argv[1] if len(sys.argv) > 1 else "float32"
with seedlock.fixed():
    _random = np.random.RandomState(0)


def positive(*shape):
    """Numbers from 0.001 to 3."""
    return (_random.random_sample(shape) * 3 + 1e-3).astype(TYPE)


def normal(*shape):
    return _random.standard_normal(shape).astype(TYPE)


VECTOR = positive(5000)
FRACTIONS = VECTOR / 4
MATRIX = VECTOR.reshape(50, 100)
SYMMETRIC = (MATRIX @ MATRIX.T + np.eye(50) * 3).astype(TYPE)
BIG, WIDE, TALL = normal(256, 512), normal(67, 3001), normal(300, 700)
IMAGES, KERNEL = normal(4, 16, 16, 8), normal(3, 3, 8, 16)
MANY, KERNELS = normal(4, 14, 14, 64), normal(3, 3, 64, 96)


def say(name, *arrays):
    parts = [seedlock.digest(np.asarray(array)) for array in arrays]
    print(f"{name}\t{' '.join(parts)}", flush=True)
