"""Train in Keras on TensorFlow with dropout, noise and shuffling;
`train_keras.py FOLDER EPOCHS [resume|forget]`.

Each epoch of fit() leaves a checkpoint by a callback: the model as Keras saves it, the generators
in JSON. `resume` goes on from that of epoch 2 with the generators' state, `forget` without.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import seedlock

folder, epochs, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
features = np.random.randn(128, 10).astype("float32")
labels = (features.sum(axis=1) > 0).astype(int)


def choose_rate(epoch: int, rate: float) -> float:
    """Draw an epoch's learning rate, a little from each library that Keras sits on."""
    drawn = (random.random(), np.random.rand(), tf.random.uniform(()), keras.random.uniform(()))
    return 0.01 + 0.001 * sum(float(each) for each in drawn)


def save(epoch: int, logs: dict[str, float]) -> None:
    """Leave the checkpoint of an epoch."""
    model.save(folder / f"epoch-{epoch + 1}.keras")
    (folder / f"epoch-{epoch + 1}.json").write_text(json.dumps(seedlock.state_dict()))


begin = 0
if how:
    model, begin = keras.models.load_model(folder / "epoch-2.keras"), 2
    if how == ["resume"]:
        seedlock.load_state_dict(json.loads((folder / "epoch-2.json").read_text()))
else:
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.GaussianNoise(0.1),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(2),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
model.fit(
    features,
    labels,
    batch_size=16,
    initial_epoch=begin,
    epochs=epochs,
    callbacks=[
        keras.callbacks.LearningRateScheduler(choose_rate),
        keras.callbacks.LambdaCallback(on_epoch_end=save),
    ],
    verbose=0,
)

digest = hashlib.sha256()
for weights in model.get_weights():
    digest.update(weights.tobytes())
sys.stdout.write(digest.hexdigest())
