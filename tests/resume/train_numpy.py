"""Train in NumPy with dropout and shuffling; `train_numpy.py FOLDER EPOCHS [resume|forget]`.

Each epoch leaves a checkpoint, in JSON. `resume` goes on from that of epoch 2 with the generators'
state in it, `forget` without.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np

import seedlock

folder, epochs, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
features = np.random.randn(128, 10)
labels = (features.sum(axis=1) > 0).astype(float)
weights = 0.01 * np.random.randn(10)
begin = 0
if how:
    held = json.loads((folder / "epoch-2.json").read_text())
    weights, begin = np.array(held["weights"]), 2
    if how == ["resume"]:
        seedlock.load_state_dict(held["generators"])

for epoch in range(begin, epochs):
    order = list(range(128))
    random.shuffle(order)
    for rows in np.array_split(order, 8):
        kept = features[rows] * (np.random.rand(len(rows), 10) < 0.8)
        predicted = 1 / (1 + np.exp(-kept @ weights))
        weights -= 0.1 * kept.T @ (predicted - labels[rows]) / len(rows)
    held = {"weights": weights.tolist(), "generators": seedlock.state_dict()}
    (folder / f"epoch-{epoch + 1}.json").write_text(json.dumps(held))

sys.stdout.write(hashlib.sha256(weights.tobytes()).hexdigest())
