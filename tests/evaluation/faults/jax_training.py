"""A small network in JAX with a jitted training step, and a fault at step 37.

jax_training.py race|augmentation|clock|set|none

The line of a fault ends in `# fault: NAME`. Where it is no operation of JAX's, the first line that
uses its value ends in `# uses: NAME`.
"""

import hashlib
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np

FAULT = sys.argv[1]
FAULTY_STEP = 37

np.random.seed(4)
points = np.random.randn(45, 32, 16).astype("float32")
labels = (np.square(points).sum(2) > 16).astype("int32")
unlabelled = np.random.rand(24 * 600, 16).astype("float32")


class Sample:
    def __init__(self, row):
        self.row = row


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


def load_by_threads(rows):
    """One sample for each row, made by whichever thread takes it."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda row: Sample(np.sort(np.tile(row, 9999))[::9999]), rows))


def loss_of(parameters, x, y, key):
    hidden = jax.nn.relu(x @ parameters["hidden"] + parameters["bias"])
    kept = hidden * jax.random.bernoulli(key, 0.9, hidden.shape)
    scores = jax.nn.log_softmax(kept @ parameters["last"])
    return -scores[jnp.arange(len(y)), y].mean()


@jax.jit
def train_step(parameters, x, y, key):
    loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y, key)
    return jax.tree.map(lambda each, by: each - 0.1 * by, parameters, gradients), loss


key, first, second = jax.random.split(jax.random.key(0), 3)
parameters = {
    "hidden": 0.2 * jax.random.normal(first, (16, 32)),
    "bias": jnp.zeros(32),
    "last": 0.2 * jax.random.normal(second, (32, 2)),
}
for step, batch in enumerate(np.random.permutation(45)):
    x, y = jnp.asarray(points[batch]), labels[batch]
    key, dropout_key = jax.random.split(key)
    fault = FAULT if step == FAULTY_STEP else "none"
    if fault == "race":
        x = x * len(unlabelled) / sum_by_threads(unlabelled)  # fault: race
    if fault == "augmentation":
        noise_key = jax.random.key(os.urandom(1)[0])  # fault: augmentation
        x = x + 0.01 * jax.random.normal(noise_key, x.shape)
    if fault == "clock":
        noise_key = jax.random.key(int(time.time() * 1000) % 2**31)  # fault: clock
        x = x + 0.01 * jax.random.normal(noise_key, x.shape)
    if fault == "set":
        x = jnp.stack([sample.row for sample in set(load_by_threads(x))])  # fault: set
    parameters, loss = train_step(parameters, x, y, dropout_key)

digest = hashlib.sha256()
for name in sorted(parameters):
    digest.update(np.asarray(parameters[name]).tobytes())
print(digest.hexdigest())
