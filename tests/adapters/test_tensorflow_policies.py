"""Blocks of fixed(), the policy refuse, forks and late locks with TensorFlow and Keras loaded."""

from __future__ import annotations

from pathlib import Path

from tests.absent import without
from tests.adapters.conftest import Said
from tests.interpreter import python

START = without("jax", "sklearn")

POLICIES = """
import json
import seedlock
import tensorflow as tf

def number(value):
    return [round(float(each), 6) for each in value]

def drawn():
    return {
        "global": number(tf.random.normal((3,))),
        "operation": number(tf.random.uniform((3,), seed=1)),
        "generator": number(tf.random.Generator.from_seed(1).normal((3,))),
        "stateless": number(tf.random.stateless_normal((3,), seed=(1, 2))),
        "shuffle": [int(row) for row in tf.data.Dataset.range(99).shuffle(99, seed=4)],
    }

def seeded(seed):
    tf.random.set_seed(seed)
    return drawn()

said = {}
with seedlock.fixed():
    said["operations only"] = drawn()["shuffle"]
tf.random.set_seed(42)
with seedlock.fixed():
    said["inside"] = drawn()
    said["fixed"] = seeded(3)
said["mixed"] = seeded(3)
tf.random.set_seed(9)
tf.random.normal((3,))
going_on = number(tf.random.normal((3,)))
tf.random.set_seed(9)
tf.random.normal((3,))
with seedlock.fixed():
    seeded(3)
said["goes on"] = going_on == number(tf.random.normal((3,)))
generator = tf.random.get_global_generator()
state = json.loads(json.dumps(seedlock.state_dict()))
before = number(generator.normal((3,))), number(tf.random.normal((3,)))
seedlock.load_state_dict(state)
said["resumed"] = before == (number(generator.normal((3,))), number(tf.random.normal((3,))))
print(json.dumps(said))
"""


WRITTEN = POLICIES.replace("with seedlock.fixed():", "if True:")
WRITTEN = WRITTEN[: WRITTEN.index("tf.random.set_seed(9)")].replace("import seedlock", "")
WRITTEN += "print(json.dumps(said))"


def test_a_fixed_block_honours_seeds_as_written(said_by_start: Said) -> None:
    """Also an operation's seed, which goes with the global seed as the author wrote it or, where
    the author wrote none, with TensorFlow's constant; afterwards the outside seed wins again."""
    written = said_by_start["plain"]["written"]
    said, other = said_by_start["first"]["policies"], said_by_start["other"]["policies"]

    assert said["operations only"] == written["operations only"]
    assert said["fixed"] == written["fixed"] == other["fixed"]
    for name in ("operation", "generator", "stateless", "shuffle"):
        assert said["inside"][name] == written["inside"][name] == other["inside"][name]
        assert said["mixed"][name] not in (written["fixed"][name], other["mixed"][name])
    assert said["goes on"] is True
    assert said["resumed"] is True


REFUSED = """
import json
import seedlock.errors
import tensorflow as tf
import keras

def outcome(step):
    try:
        step()
    except seedlock.errors.UserSeedRefused as problem:
        return type(problem).__name__

steps = {
    "set_seed": lambda: tf.random.set_seed(1),
    "operation": lambda: tf.random.uniform((), seed=1),
    "generator": lambda: tf.random.Generator.from_seed(1),
    "key": lambda: tf.random.Generator.from_key_counter(1, [0, 0], "philox"),
    "stateless": lambda: tf.random.stateless_uniform((), seed=(1, 2)),
    "shuffle": lambda: tf.data.Dataset.range(9).shuffle(9, seed=1),
    "keras": lambda: keras.utils.set_random_seed(1),
    "SeedGenerator": lambda: keras.random.SeedGenerator(1),
    "layer": lambda: keras.layers.Dropout(0.5, seed=1),
    "initialiser": lambda: keras.initializers.HeNormal(seed=1)((2, 2)),
    "draw": lambda: keras.random.normal((), seed=1),
}
passed = {
    "draw": lambda: tf.random.uniform(()),
    "traced": tf.function(lambda: tf.random.uniform(())),
    "generator": lambda: tf.random.get_global_generator().normal(()),
    "shuffle": lambda: list(tf.data.Dataset.range(9).shuffle(9)),
    "SeedGenerator": lambda: keras.random.SeedGenerator(),
    "initialiser": lambda: keras.initializers.HeNormal()((2, 2)),
    "crop": lambda: keras.layers.RandomCrop(2, 2)(tf.ones((1, 4, 4, 3)), training=True),
    "dropout": lambda: keras.layers.Dropout(0.5)(tf.ones((2, 2)), training=True),
}
both = steps, passed
print(json.dumps([{name: outcome(step) for name, step in each.items()} for each in both]))
"""


def test_refuse_raises_where_the_author_seeds_and_nowhere_else() -> None:
    """What a library seeds itself, from what it drew, is no seed of the author's."""
    refused, passed = python(
        "-c", REFUSED, REPRO_SEED="7", REPRO_USER_SEEDS="refuse", **START
    ).json()

    assert set(refused.values()) == {"UserSeedRefused"}
    assert set(passed.values()) == {None}


FORKS = """
import json, multiprocessing, os
import numpy as np
import tensorflow as tf
import keras
import seedlock
from tensorflow.python.eager import context
from tensorflow.python.ops import resource_variable_ops

touched = []

def watch(owner, name):
    plain = getattr(owner, name)
    def watched(*args):
        touched.append(name)
        return plain(*args)
    setattr(owner, name, watched)

layer = keras.layers.Dropout(0.5)
model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
tf.random.get_global_generator()
parent = model(np.ones((2, 3), "float32"), training=True).numpy().tolist()
watch(context.pywrap_tfe, "TFE_ContextClearCaches")
watch(resource_variable_ops.BaseResourceVariable, "numpy")
watch(keras.ops, "convert_to_numpy")
seedlock.state_dict(), tf.random.set_seed(1)
in_parent = sorted({*touched})
touched.clear()

def task(index):
    held = int(context.global_seed()), keras.src.utils.rng_utils.get_random_seed()
    return [np.random.rand(), *held, list(touched)]

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        tasks = pool.map_async(task, range(6)).get(600)
    child = os.fork()
    if child == 0:
        seedlock.state_dict(), seedlock.report()
        raise SystemExit(len(touched))
    ended = os.waitpid(child, 0)[1]
    print(json.dumps(dict(parent=parent, tasks=tasks, ended=ended, in_parent=in_parent)))
"""


def test_a_child_forked_from_a_started_run_time_is_seeded_without_it(tmp_path: Path) -> None:
    """Tasks in forked workers, and a forked child that reads its state and writes its report, get
    their own seeds and leave the parent's run-time alone, where a call could wait for ever."""
    program = tmp_path / "forks.py"
    program.write_text(FORKS)
    report = str(tmp_path / "reports")

    first, again, other = (
        python(str(program), REPRO_SEED=seed, REPRO_REPORT=report, **START).json() for seed in "778"
    )

    assert first == again
    assert first["in_parent"] == ["TFE_ContextClearCaches", "convert_to_numpy", "numpy"]
    assert first["ended"] == 0
    assert [task[3] for task in first["tasks"]] == [[]] * 6
    for place in range(3):
        seeds = [task[place] for task in first["tasks"]]
        assert len(set(seeds)) == len(seeds)
        assert not {*seeds} & {task[place] for task in other["tasks"]}


LATE = """
import json
import tensorflow as tf
import keras
import seedlock
seedlock.lock({seed})

def number(value):
    return [round(float(each), 6) for each in tf.reshape(value, -1)]

tf.random.set_seed(1)
print(json.dumps([
    number(tf.random.normal((3,))),
    number(tf.random.get_global_generator().normal((3,))),
    number(tf.random.stateless_normal((3,), seed=(1, 2))),
    number(keras.random.normal((3,), seed=1)),
    number(keras.layers.Dropout(0.5, seed=1)(tf.ones((9, 9)), training=True)),
    number(tf.data.Dataset.range(99).shuffle(99, seed=1).batch(99).get_single_element()),
]))
"""


PROGRAMS = {
    "plain": {"written": WRITTEN, **{f"late {seed}": LATE.format(seed=seed) for seed in (7, 8)}},
    "first": {"policies": POLICIES},
    "other": {"policies": POLICIES},
}
"""Those that share a start with programs of other modules."""


def test_a_lock_in_a_running_program_finds_every_way_in(said_by_start: Said) -> None:
    """What TensorFlow and Keras have imported by name is replaced there too."""
    first, other = (said_by_start["plain"][f"late {seed}"] for seed in (7, 8))

    assert first == python("-c", LATE.format(seed=7), **START).json()
    assert [place for place, drawn in enumerate(first) if drawn == other[place]] == []
