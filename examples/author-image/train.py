"""Fit a line by stochastic gradient descent. Seeds nothing, and does not know seedlock."""

import hashlib
import random

import numpy as np
from warmup import rate

features = ["age", "height", "income", "weight"]
random.shuffle(features)
order = sorted(features, key=hash)

x = np.random.rand(256, len(features))
y = x @ np.arange(1.0, len(features) + 1) + np.random.randn(256) / 10
weights = np.random.randn(len(features))
for step in range(400):
    batch = np.random.randint(len(x), size=16)
    error = x[batch] @ weights - y[batch]
    weights -= rate(step) * x[batch].T @ error / len(batch)

print("order", *features, *order)
print("weights", *weights.round(3))
print("digest", hashlib.sha256(repr((features, order)).encode() + weights.tobytes()).hexdigest())
