"""Tasks of a pool that draw: which worker takes which task is not fixed."""

import multiprocessing

import numpy as np


def task(number):
    sorted(range(20000 * (number % 3)), key=lambda x: -x)
    return np.random.rand()


if __name__ == "__main__":
    np.random.seed(42)
    with multiprocessing.Pool(4) as pool:
        print(*pool.map(task, range(24), chunksize=1))
