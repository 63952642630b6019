"""A small network in MXNet's Gluon, and a fault at step 37.

mxnet_training.py race|augmentation|clock|set|none

The line of a fault ends in `# fault: NAME`. Where it is no operator of MXNet's, the first line
that uses its value ends in `# uses: NAME`.
"""

import hashlib
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn

FAULT = sys.argv[1]
FAULTY_STEP = 37

mx.random.seed(3)
np.random.seed(3)
points = np.random.randn(23 * 32, 16).astype("float32")
labels = (np.square(points).sum(1) > 16).astype("float32")
unlabelled = np.random.rand(24 * 600, 16).astype("float32")
changes = {"brighter", "darker", "sharper", "softer", "wider", "narrower", "warmer", "colder"}


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


model = nn.HybridSequential()
model.add(nn.Dense(32, activation="relu", in_units=16), nn.Dropout(0.1), nn.Dense(2, in_units=32))
model.initialize(mx.init.Xavier())
model.hybridize()
trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.01})
loss_function = gluon.loss.SoftmaxCrossEntropyLoss()
loader = gluon.data.DataLoader(gluon.data.ArrayDataset(points, labels), batch_size=32, shuffle=True)

step = 0
for _ in range(2):
    for x, y in loader:
        fault = FAULT if step == FAULTY_STEP else "none"
        if fault == "race":
            sums = sum_by_threads(unlabelled)  # fault: race
            x = x - mx.nd.array(sums) / len(unlabelled)  # uses: race
        if fault == "augmentation":
            x = x + 0.01 * random.SystemRandom().random()  # fault: augmentation
        if fault == "clock":
            mx.random.seed(time.time_ns() // 10**6 % 2**31)  # fault: clock
            x = x + mx.nd.random.normal(0, 0.01, x.shape)
        if fault == "set":
            for change in changes:  # fault: set
                x = x * 0.9 + len(change) * 0.01  # uses: set
        with autograd.record():
            loss = loss_function(model(x), y).mean()
        loss.backward()
        trainer.step(1)
        step += 1

digest = hashlib.sha256()
for parameter in model.collect_params().values():
    digest.update(parameter.data().asnumpy().tobytes())
print(digest.hexdigest())
