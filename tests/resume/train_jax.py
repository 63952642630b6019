"""Train in JAX with dropout and NumPy's shuffling; `train_jax.py FOLDER EPOCHS [resume|forget]`.

Each epoch leaves a checkpoint, by pickle: the program's own key is in it, as it has to be, and the
generators' state for NumPy's. `resume` goes on from that of epoch 2 with that state, `forget`
without.
"""

import hashlib
import pickle
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import seedlock

folder, epochs, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
key, data_key, first_key = jax.random.split(jax.random.key(0), 3)
features = jax.random.normal(data_key, (128, 10))
labels = (features.sum(axis=1) > 0).astype(jnp.float32)
weights = 0.01 * jax.random.normal(first_key, (10,))
begin = 0
if how:
    held = pickle.loads((folder / "epoch-2.pickle").read_bytes())
    weights, key, begin = held["weights"], jax.random.wrap_key_data(held["key"]), 2
    if how == ["resume"]:
        seedlock.load_state_dict(held["generators"])


def descend(weights: jax.Array, rows: jax.Array, key: jax.Array) -> jax.Array:
    kept = features[rows] * jax.random.bernoulli(key, 0.8, (16, 10))
    predicted = jax.nn.sigmoid(kept @ weights)
    return weights - 0.1 * kept.T @ (predicted - labels[rows]) / 16


step = jax.jit(descend)
for epoch in range(begin, epochs):
    for rows in np.random.permutation(128).reshape(8, 16):
        key, dropout_key = jax.random.split(key)
        weights = step(weights, rows, dropout_key)
    held = {
        "weights": weights,
        "key": jax.random.key_data(key),
        "generators": seedlock.state_dict(),
    }
    (folder / f"epoch-{epoch + 1}.pickle").write_bytes(pickle.dumps(held))

sys.stdout.write(hashlib.sha256(np.asarray(weights).tobytes()).hexdigest())
