"""A small network in TensorFlow with a compiled training step, and a fault at step 37.

tensorflow_training.py race|augmentation|clock|set|none

The line of a fault ends in `# fault: NAME`; each is an operation of TensorFlow's or sets a seed.
"""

import hashlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

FAULT = sys.argv[1]
FAULTY_STEP = 37
FEATURES = [f"feature {number}" for number in range(16)]

tf.random.set_seed(2)
np.random.seed(2)
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


hidden = tf.Variable(tf.random.normal((16, 32), stddev=0.2))
hidden_bias = tf.Variable(tf.zeros(32))
last = tf.Variable(tf.random.normal((32, 2), stddev=0.2))
parameters = [hidden, hidden_bias, last]


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = tf.nn.relu(x @ hidden + hidden_bias) @ last
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        loss = tf.reduce_mean(losses)
    for parameter, gradient in zip(parameters, tape.gradient(loss, parameters), strict=True):
        parameter.assign_sub(0.1 * gradient)
    return loss


data = tf.data.Dataset.from_tensor_slices((points, labels)).shuffle(2000).batch(32)
for step, (x, y) in enumerate(data):
    fault = FAULT if step == FAULTY_STEP else "none"
    if fault == "race":
        x = x * len(unlabelled) / sum_by_threads(unlabelled)  # fault: race
    if fault == "augmentation":
        drawn = np.random.default_rng(int.from_bytes(os.urandom(8), "big"))  # fault: augmentation
        x = x + 0.01 * drawn.standard_normal(x.shape).astype("float32")
    if fault == "clock":
        noise = tf.random.Generator.from_seed(time.time_ns() % 2**31)  # fault: clock
        x = x + noise.normal(x.shape, stddev=0.01)
    if fault == "set":
        x = tf.gather(x, [FEATURES.index(name) for name in set(FEATURES)], axis=1)  # fault: set
    train_step(x, y)

digest = hashlib.sha256()
for parameter in parameters:
    digest.update(parameter.numpy().tobytes())
print(digest.hexdigest())
