"""Logistic regression in NumPy: random data, random start, random order. Seeds nothing."""

import hashlib

import numpy as np

features = np.random.randn(512, 20)
truth = np.random.randn(20)
labels = (features @ truth + 0.5 * np.random.randn(512) > 0).astype(float)
weights = 0.01 * np.random.randn(20)

for _epoch in range(20):
    for rows in np.array_split(np.random.permutation(512), 16):
        predicted = 1 / (1 + np.exp(-features[rows] @ weights))
        weights -= 0.1 * features[rows].T @ (predicted - labels[rows]) / len(rows)

accuracy = float(((features @ weights > 0) == labels).mean())
print(f"accuracy {accuracy:.4f}")
print("digest", hashlib.sha256(weights.tobytes()).hexdigest())
