"""Two processes that write to an array which they share: their turns are not fixed."""

import multiprocessing


def train(array, barrier, target):
    barrier.wait()
    for _ in range(100_000):
        array[0] += 0.0001 * (target - array[0])


if __name__ == "__main__":
    processes = multiprocessing.get_context("fork")
    array, barrier = processes.RawArray("d", 1), processes.Barrier(2)
    workers = [processes.Process(target=train, args=(array, barrier, x)) for x in (-1.0, 1.0)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(array[0])
