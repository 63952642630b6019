"""Tasks of a ProcessPoolExecutor that draw."""

import random
from concurrent.futures import ProcessPoolExecutor


def task(number):
    return random.random()


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(*pool.map(task, range(12)))
