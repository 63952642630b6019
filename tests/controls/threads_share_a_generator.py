"""Two threads that share the global generator: their turns are not fixed."""

import random
import threading

random.seed(42)
sums = {}


def draw(name):
    sums[name] = sum(random.random() for _ in range(1_000_000))


threads = [threading.Thread(target=draw, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sums["a"], sums["b"])
