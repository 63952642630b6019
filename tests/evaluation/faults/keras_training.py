"""A small model in Keras, trained batch by batch, and a fault at step 37.

keras_training.py race|augmentation|clock|set|none

The line of a fault ends in `# fault: NAME`. What NumPy computes is no operation of Keras's: the
first line that hands it to Keras ends in `# uses: NAME`.
"""

import hashlib
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from keras import layers, ops

FAULT = sys.argv[1]
FAULTY_STEP = 37

keras.utils.set_random_seed(1)
points = np.random.randn(45 * 32, 16).astype("float32")
labels = (np.square(points).sum(1) > 16).astype("int32")
unlabelled = np.random.rand(24 * 600, 16).astype("float32")


def sum_by_threads(rows):
    """Sums of smoothed columns: each thread adds its part as soon as it has it."""
    total = np.zeros(rows.shape[1], "float32")
    lock = threading.Lock()

    def add(chunk):
        weights = np.exp(chunk @ chunk.T)
        part = (weights @ chunk / weights.sum(1, keepdims=True)).sum(0)
        with lock:
            np.add(total, part, out=total)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, np.split(rows, 24)))
    return total


model = keras.Sequential(
    [
        keras.Input((16,)),
        layers.Dense(32, activation="relu"),
        layers.Dropout(0.1),
        layers.Dense(2, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")

for step in range(45):
    rows = slice(32 * step, 32 * step + 32)
    x, y = points[rows], labels[rows]
    fault = FAULT if step == FAULTY_STEP else "none"
    if fault == "race":
        x = ops.divide(x * len(unlabelled), sum_by_threads(unlabelled))  # fault: race
    if fault == "augmentation":
        source = random.SystemRandom()
        x = ops.add(x, [source.gauss(0, 0.01) for _ in range(16)])  # fault: augmentation
    if fault == "clock":
        noise = np.random.default_rng(time.time_ns() // 1000)  # fault: clock
        x = x + 0.01 * noise.standard_normal(x.shape)
    if fault == "set":
        names = {f"feature {number}" for number in range(16)}
        x = x[:, [int(name.split()[1]) for name in names]]  # fault: set
    model.train_on_batch(x, y)  # uses: set

digest = hashlib.sha256()
for variable in model.trainable_variables:
    digest.update(ops.convert_to_numpy(variable).tobytes())
print(digest.hexdigest())
