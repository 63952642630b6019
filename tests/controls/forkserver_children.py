"""Children of multiprocessing's fork server."""

import multiprocessing
import random


def draw():
    print(random.random(), end=" ", flush=True)


if __name__ == "__main__":
    for _child in range(3):
        process = multiprocessing.get_context("forkserver").Process(target=draw)
        process.start()
        process.join()
