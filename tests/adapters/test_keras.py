"""The keras adapter, in real processes; tests/test_by_hand.py has Keras's other backends."""

from __future__ import annotations

from tests.adapters.probe import Run, deaf, same_draws

PROGRAM = """
import inspect
import keras
import numpy as np

ones = np.ones((4, 8, 8, 1), "float32")
dense, convolution = keras.layers.Dense(3), keras.layers.Conv2D(2, 3)
dense.build((None, 4))
convolution.build((None, 8, 8, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")
rows = np.arange(80, dtype="float32").reshape(20, 4) / 80
model.fit(rows, rows[:, :1], batch_size=4, epochs=2, verbose=0)
drawn = {
    "dense": dense.kernel,
    "convolution": convolution.kernel,
    "initialiser": keras.initializers.HeNormal()((3, 3)),
    "dropout": keras.layers.Dropout(0.5)(ones, training=True),
    "noise": keras.layers.GaussianNoise(1.0)(ones, training=True),
    "global": keras.random.normal((3,)),
    "global again": keras.random.uniform((3,)),
    "generator": keras.random.SeedGenerator().next(),
    "rotation": keras.layers.RandomRotation(0.5)(ones * np.arange(8)[:, None], training=True),
    "fit": model.get_weights()[0],
}
print(json.dumps({
    "draws": {name: digest(keras.ops.convert_to_numpy(each)) for name, each in drawn.items()},
    "seed": keras.src.utils.rng_utils.get_random_seed(),
    "signature": str(inspect.signature(keras.random.SeedGenerator)),
}))
if "UNDO" in os.environ:
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
"""
GIVEN: dict[str, dict[str, str]] = {}


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """Layers, initialisers, generators and fit() draw from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Every source of random numbers in Keras hears the outside seed."""
    assert deaf(runs) == []


def test_keras_has_its_own_seed(runs: dict[str, Run]) -> None:
    """Keras's global seed is the derived one of its stream, and none when nothing is locked."""
    report = runs["strict"].report

    assert runs["strict"].said["seed"] == report["seeds"]["keras"]
    assert runs["strict"].said["seed"] not in (report["seeds"]["numpy"], 7)
    assert runs["unlocked"].said["seed"] is None


def test_tensorflow_beneath_is_locked_too(runs: dict[str, Run]) -> None:
    """A program that imports Keras only gets the tensorflow adapter with it, and the report shows
    what user code undid there."""
    flags = runs["strict"].library("tensorflow")["flags"]

    assert flags["op_determinism"] is True
    assert runs["strict"].library("keras")["flags"] == {"backend": "tensorflow"}
    assert runs["other"].library("tensorflow")["overridden"] == {
        "TF_ENABLE_ONEDNN_OPTS": {"set": "0", "now": "1"}
    }
    assert runs["strict"].library("tensorflow")["overridden"] == {}


def test_a_seed_generator_keeps_its_signature(runs: dict[str, Run]) -> None:
    """The adapter notes each generator's creation, and help() and inspect don't see it."""
    assert runs["strict"].said["signature"] == runs["unlocked"].said["signature"]
    assert "seed=None" in runs["strict"].said["signature"]
