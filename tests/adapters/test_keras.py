"""The keras adapter, in real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.absent import compiled_before, without
from tests.adapters.probe import Run, deaf, same_draws
from tests.interpreter import python, reports

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
said["keras"] = {
    "draws": {name: digest(keras.ops.convert_to_numpy(each)) for name, each in drawn.items()},
    "seed": keras.src.utils.rng_utils.get_random_seed(),
    "signature": str(inspect.signature(keras.random.SeedGenerator)),
}
"""


@pytest.fixture(scope="module", name="runs")
def _runs(keras_at_every_level: dict[str, Run]) -> dict[str, Run]:
    return {
        name: Run(run.said["keras"], run.errors, run.report)
        for name, run in keras_at_every_level.items()
    }


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
    assert runs["other"].library("tensorflow")["overridden"]["TF_ENABLE_ONEDNN_OPTS"] == {
        "set": "0",
        "now": "1",
    }
    assert runs["strict"].library("tensorflow")["overridden"] == {}


def test_a_seed_generator_keeps_its_signature(runs: dict[str, Run]) -> None:
    """The adapter notes each generator's creation, and help() and inspect don't see it."""
    assert runs["strict"].said["signature"] == runs["unlocked"].said["signature"]
    assert "seed=None" in runs["strict"].said["signature"]


SEEDS = """
import json, os, random, tempfile
import keras
import numpy as np

def number(value):
    return keras.ops.convert_to_numpy(value).ravel()[:30].astype(float).round(5).tolist()

said = {}
ones = np.ones((4, 16), "float32")
draw = keras.random.normal
make = keras.random.SeedGenerator
layers, initializers = keras.layers, keras.initializers

for seed in (12, 12, 13):
    keras.utils.set_random_seed(seed)
    drawn = number(draw((3,))), random.random(), np.random.rand(), number(layers.Dense(2)(ones))
    said.setdefault(f"set_random_seed {seed}", []).append(drawn)
    said[f"global seed {seed}"] = keras.src.utils.rng_utils.get_random_seed()
said["draw 1"], said["draw 1 again"] = number(draw((3,), seed=1)), number(draw((3,), seed=1))
said["draw 2"] = number(draw((3,), seed=2))
generator = make(1)
said["generator 1"] = number(draw((3,), seed=generator))
said["generator 1 goes on"] = number(draw((3,), seed=generator))
again = make.from_config(json.loads(json.dumps(generator.get_config())))
said["generator 1 of config"] = number(draw((3,), seed=again))
said["gamma 1"] = number(keras.random.gamma((3,), 2.0, seed=1))
said["gamma 1 again"] = number(keras.random.gamma((3,), 2.0, seed=1))
glorot = initializers.GlorotUniform(seed=1)
said["initialiser 1"], said["initialiser 1 again"] = number(glorot((3, 3))), number(glorot((3, 3)))
clone = initializers.GlorotUniform.from_config(glorot.get_config())
said["initialiser 1 of config"] = number(clone((3, 3)))
unseeded = initializers.HeNormal()
said["default"], said["default again"] = number(unseeded((3, 3))), number(unseeded((3, 3)))
dropout = layers.Dropout(0.5, seed=1)
said["dropout 1"] = number(dropout(ones, training=True))
said["dropout 1 goes on"] = number(dropout(ones, training=True))
clone = layers.Dropout.from_config(dropout.get_config())
said["dropout 1 of config"] = number(clone(ones, training=True))
images = np.arange(2 * 9 * 9 * 3, dtype="float32").reshape(2, 9, 9, 3)
said["rotation 1"] = number(layers.RandomRotation(0.4, seed=1)(images, training=True))
model = keras.Sequential([
    keras.Input((16,)), layers.Dropout(0.5, seed=4), layers.Dense(2, kernel_initializer=glorot),
])
file = os.path.join(tempfile.mkdtemp(), "model.keras")
model.save(file)
loaded = keras.models.load_model(file)
said["model"], said["model saved"] = number(model(ones, training=True)), number(
    loaded(ones, training=True)
)

def outcome(step):
    try:
        step()
    except Exception as problem:
        return [type(problem).__name__, str(problem)]

configs = [each.get_config()["seed"] for each in (generator, glorot, dropout)]
errors = [
    outcome(lambda: keras.utils.set_random_seed("text")),
    outcome(lambda: keras.utils.set_random_seed(-1)),
    outcome(lambda: make(1.5)),
    outcome(lambda: draw((3,), seed="text")),
]
fixed, sites = {}, []
if "REPRO_SEED" in os.environ:
    import seedlock
    sites = [[each["line"], each["given"]] for each in seedlock.report()["user_seeds"]
             if not each["function"].startswith("importlib.")]  # SciPy's, which sklearn imports
    keras.utils.set_random_seed(14)
    going_on = [number(draw((3,))) for _ in range(3)][-1]
    keras.utils.set_random_seed(14)
    draw((3,))
    passing = make(5)
    with seedlock.fixed():
        keras.utils.set_random_seed(12)
        fixed["set_random_seed 12"] = [
            number(draw((3,))), random.random(), np.random.rand(), number(layers.Dense(2)(ones))
        ]
        fixed["draw 1"] = number(draw((3,), seed=1))
        fixed["generator 1"] = number(draw((3,), seed=make(1)))
        fixed["dropout 1"] = number(layers.Dropout(0.5, seed=1)(ones, training=True))
        del passing
    draw((3,))
    fixed["goes on"] = going_on == number(draw((3,)))
print(json.dumps(dict(said=said, configs=configs, errors=errors, sites=sites, fixed=fixed)))
"""

EQUAL = (
    ("draw 1", "draw 1 again", "generator 1", "generator 1 of config"),
    ("gamma 1", "gamma 1 again"),
    ("initialiser 1", "initialiser 1 again", "initialiser 1 of config"),
    ("default", "default again"),
    ("dropout 1", "dropout 1 of config"),
    ("model", "model saved"),
)
"""Draws that the author's seeds make equal, plain and locked."""


FIRST: dict[str, Any] = {"REPRO_SEED": "7"}
OTHER: dict[str, Any] = {"REPRO_SEED": "8"}


@pytest.fixture(scope="module", name="seeded")
def _seeded(said_by_start: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A program that seeds Keras in every way: plain, under seed 7 twice and under seed 8."""
    return {name: said["keras"] for name, said in said_by_start.items()}


def deaf_to_seeds(first: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the names of the draws that came out the same under another seed."""
    return [name for name in first["said"] if first["said"][name] == other["said"][name]]


def check_structure(said: dict[str, Any]) -> None:
    """Equal seeds give equal streams, also from a saved configuration; seeding restarts."""
    for first, *others in EQUAL:
        assert [name for name in others if said[name] != said[first]] == []
    assert said["draw 1"] != said["draw 2"]
    assert said["generator 1"] != said["generator 1 goes on"]
    assert said["dropout 1"] != said["dropout 1 goes on"]
    assert said["set_random_seed 12"][0] == said["set_random_seed 12"][1]
    assert said["set_random_seed 12"][0] != said["set_random_seed 13"][0]


def check_report(run: dict[str, Any]) -> None:
    """What Keras draws and hands to the backend's library is no seed of the author's."""
    assert {value for _, values in run["sites"] for value in values} == {
        "1", "2", "4", "12", "13", "-1",
    }  # fmt: skip


def test_seeds_of_the_authors_hear_the_outside_seed(seeded: dict[str, Any]) -> None:
    """The same outside seed, the same draws; another one, all others."""
    assert seeded["first"]["said"] == seeded["again"]["said"]
    assert deaf_to_seeds(seeded["first"], seeded["other"]) == []


@pytest.mark.parametrize("run", ["plain", "first"])
def test_the_structure_of_the_authors_seeds_stays(run: str, seeded: dict[str, Any]) -> None:
    """Locked as plain."""
    check_structure(seeded[run]["said"])


def test_configurations_and_errors_are_kerass_own(seeded: dict[str, Any]) -> None:
    """get_config() shows the seed as written, and bad values raise what they raise unlocked."""
    assert seeded["first"]["configs"] == [1, 1, 1]
    assert seeded["first"]["errors"] == seeded["plain"]["errors"]
    assert None not in seeded["plain"]["errors"]


def test_a_fixed_block_gives_the_plain_draws(seeded: dict[str, Any]) -> None:
    """Seeds in the block count as written, whatever the outside seed; what lies around it goes on,
    also when a seed generator from before has ended."""
    plain = seeded["plain"]["said"]

    for run in ("first", "other"):
        fixed = seeded[run]["fixed"]
        assert fixed["set_random_seed 12"] == plain["set_random_seed 12"][0]
        for name in ("draw 1", "generator 1", "dropout 1"):
            assert fixed[name] == plain[name]
        assert fixed["goes on"] is True


def test_only_the_authors_seeds_are_in_the_report(seeded: dict[str, Any]) -> None:
    """Not the default seeds, nor what set_random_seed does inside."""
    check_report(seeded["first"])


@pytest.mark.full  # tests/tracers/test_keras.py has the other backends in the gate
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_another_backend_hears_the_outside_seed_too(backend: str, tmp_path: Path) -> None:
    """What Keras draws there from its seeds is mixed once, by Keras's adapter."""
    start = {
        "KERAS_BACKEND": backend,
        **(without("sklearn") if backend == "jax" else without("jax", "sklearn")),
        **compiled_before(tmp_path),
    }
    first, other = (python("-c", SEEDS, **start, **each) for each in (FIRST, OTHER))

    assert deaf_to_seeds(first.json(), other.json()) == []
    assert first.json()["fixed"] == other.json()["fixed"]
    check_structure(first.json()["said"])
    check_report(first.json())


IN_A_BATCH = """
import json, os, keras, numpy, seedlock
from seedlock.errors import BadState

def generators():
    return seedlock.state_dict()["libraries"]["keras"]["generators"]

class Asking(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            try:
                generators()
            except BadState as problem:
                said.append("jax_state_sync" in str(problem))
            self._model.jax_state_sync()
            said.append(generators())
        if batch == 3:
            print(json.dumps(said), flush=True)
            os._exit(0)

said = []
model = keras.Sequential([keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(numpy.ones((8, 2)), numpy.ones((8, 1)), batch_size=2, verbose=0, callbacks=[Asking()])
"""


def test_a_state_that_jax_has_is_said_to_be_there(tmp_path: Path) -> None:
    """In the middle of an epoch Keras's variables are empty on JAX: state_dict() says what to do,
    and a process that ends then has a finished report, without a digest."""
    done = python(
        "-c", IN_A_BATCH, KERAS_BACKEND="jax", REPRO_SEED="7", REPRO_REPORT=str(tmp_path),
        **without("sklearn"),
    )  # fmt: skip
    asked, ((_, drawn),) = done.json()
    (report,) = reports(tmp_path)

    assert asked is True
    assert drawn >= 3
    assert report["status"] == "finished"
    assert report["libraries"]["keras"]["digest_now"] is None
