"""Two threads of the _thread module that share the global generator: their turns are not fixed."""

import _thread
import random
import threading

random.seed(42)
sums = {}
done = {name: threading.Semaphore(0) for name in "ab"}


def draw(name):
    sums[name] = sum(random.random() for _ in range(1_000_000))
    done[name].release()


for name in done:
    _thread.start_new_thread(draw, (name,))
for each in done.values():
    each.acquire()
print(sums["a"], sums["b"])
