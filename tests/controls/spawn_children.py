"""Children of multiprocessing, started anew (spawn)."""

import multiprocessing
import random


def draw():
    print(random.random(), end=" ", flush=True)


if __name__ == "__main__":
    for _child in range(3):
        process = multiprocessing.get_context("spawn").Process(target=draw)
        process.start()
        process.join()
