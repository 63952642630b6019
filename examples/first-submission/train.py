"""Logistic regression on made-up data, as an author has it: it knows nothing of seedlock."""

import argparse
import json
import pathlib
import time

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--out", type=pathlib.Path, default="results")
out = parser.parse_args().out
out.mkdir(exist_ok=True)

rng = np.random.default_rng(time.time_ns())
features = rng.normal(size=(600, 20))
labels = (features @ rng.normal(size=20) + rng.normal(size=600) > 0).astype(float)


weights = np.zeros(20)
for _epoch in range(20):
    for rows in np.array_split(rng.permutation(500), 25):
        predicted = 1 / (1 + np.exp(-features[rows] @ weights))
        weights -= 0.1 * features[rows].T @ (predicted - labels[rows]) / len(rows)

accuracy = float(((features[500:] @ weights > 0) == labels[500:]).mean())
print(f"accuracy {accuracy:.2f}")
np.save(out / "weights.npy", weights)
(out / "metrics.json").write_text(json.dumps({"accuracy": accuracy}))
