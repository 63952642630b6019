"""Tasks of joblib that draw from NumPy's global generator."""

import numpy as np
from joblib import Parallel, delayed


def task(number):
    return np.random.rand()


print(*Parallel(n_jobs=2)(delayed(task)(number) for number in range(8)))
