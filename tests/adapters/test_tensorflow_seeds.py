"""Seeds that a program sets in TensorFlow itself, and tf.data, in real processes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.absent import without
from tests.interpreter import python

PROGRAM = """
import json, os, random, time
import numpy as np
import tensorflow as tf

def number(value):
    return np.asarray(value).ravel()[:4].astype(float).round(6).tolist()

def rows(dataset):
    return [number(row) for row in dataset]

said = {}
def say(name, value):
    said[name] = number(value)

normal = lambda: tf.random.normal((4,))
for name, seed in {"42": 42, "42 again": 42, "42 of NumPy": np.int64(42), "43": 43}.items():
    tf.random.set_seed(seed)
    say("set_seed " + name, normal())
tf.compat.v1.set_random_seed(42)
say("v1 set_random_seed 42", normal())
tf.experimental.numpy.random.seed(42)
say("NumPy API 42", tf.experimental.numpy.random.rand(4))
tf.random.set_seed(42)
say("op 1", tf.random.uniform((4,), seed=1))
say("op 1 goes on", tf.random.uniform((4,), seed=1))
tf.random.set_seed(42)
say("op 1 again", tf.random.uniform((4,), seed=1))

@tf.function
def traced():
    inner = tf.cond(tf.constant(True), normal, lambda: tf.zeros(4))
    return normal(), tf.random.uniform((4,), seed=1), inner

@tf.function
def seeding():
    tf.random.set_seed(5)
    return normal()

@tf.function
def seeding_too():
    tf.random.set_seed(5)
    return normal()

tf.random.set_seed(42)
said["traced"] = [number(each) for each in traced()]
say("traced 5", seeding())
say("traced 5 again", seeding_too())

make = tf.random.Generator
say("from_seed 1", make.from_seed(1).normal((4,)))
say("from_seed 1 again", make.from_seed(1).normal((4,)))
say("from_seed 2", make.from_seed(2).normal((4,)))
say("from_seed list", make.from_seed([1, 2]).normal((4,)))
say("from_seed threefry", make.from_seed(1, alg="threefry").state)
generator = make.from_seed(2)
generator.reset_from_seed(1)
say("reset_from_seed 1", generator.normal((4,)))
say("from_key_counter 1", make.from_key_counter(1, [0, 0], "philox").normal((4,)))
generator.reset_from_key_counter(1, [0, 0])
say("reset_from_key_counter 1", generator.normal((4,)))
copy = make.from_state(make.from_seed(1).state.numpy(), "philox")
say("from_state of 1", copy.normal((4,)))
again = make.from_key_counter(copy.key, [0, 0], "philox")
say("own key", again.key - copy.key)
tf.random.set_global_generator(make.from_seed(1))
say("set_global_generator 1", tf.random.get_global_generator().normal((4,)))

pair = (1, 2)
stateless = {
    "uniform": lambda: tf.random.stateless_uniform((4,), pair),
    "uniform of integers": lambda: tf.random.stateless_uniform((4,), pair, 0, 10**6, tf.int32),
    "normal": lambda: tf.random.stateless_normal((4,), seed=pair),
    "truncated": lambda: tf.random.stateless_truncated_normal((4,), seed=pair),
    "gamma": lambda: tf.random.stateless_gamma((4,), pair, 2.0),
    "binomial": lambda: tf.random.stateless_binomial((4,), pair, 1e6, 0.5),
    "poisson": lambda: tf.random.stateless_poisson((4,), pair, 1e6),
    "categorical": lambda: tf.random.stateless_categorical(tf.zeros((1, 9999)), 4, pair),
    "parameterized": lambda: tf.random.stateless_parameterized_truncated_normal((4,), pair),
    "shuffle": lambda: tf.random.experimental.stateless_shuffle(tf.range(999), pair),
    "index_shuffle": lambda: tf.random.experimental.index_shuffle(tf.range(4), pair, 9999),
    "split": lambda: tf.random.split(pair, 2),
    "fold_in": lambda: tf.random.fold_in(pair, 3)[:1],
    "image": lambda: tf.image.stateless_random_brightness(tf.ones((2, 2, 3)), 0.5, pair),
    "initializer": lambda: tf.random_normal_initializer(seed=1)((4,)),
}
for name, draw in stateless.items():
    say("stateless " + name, draw())
say("stateless normal again", tf.random.stateless_normal((4,), seed=np.array([1, 2])))
say("stateless normal traced", tf.function(lambda: tf.random.stateless_normal((4,), [1, 2]))())
say("stateless normal other", tf.random.stateless_normal((4,), seed=(1, 3)))

def in_graph(seed):
    with tf.Graph().as_default():
        if seed is not None:
            tf.compat.v1.set_random_seed(seed)
        drawn = normal(), tf.random.uniform((4,), seed=1)
        with tf.compat.v1.Session() as session:
            return [number(each) for each in session.run(drawn)]

said["graph 11"], said["graph 11 again"], said["graph 12"] = map(in_graph, (11, 11, 12))

def drawing(value):
    time.sleep(float(value % 3) / 1000)
    return np.float32(np.random.rand() + random.random())

def of_numpy(value):
    return tf.numpy_function(drawing, [value], tf.float32)

numbers = tf.data.Dataset.range(24)
np.random.seed(1), random.seed(1), tf.random.set_seed(1)
said["data shuffle 3"] = rows(numbers.shuffle(24, seed=3))
said["data shuffle 3 again"] = rows(numbers.shuffle(24, seed=3))
said["data random 4"] = rows(tf.data.Dataset.random(seed=4).take(3))
said["data sample 5"] = rows(tf.data.Dataset.sample_from_datasets([numbers, numbers], seed=5))
said["data map"] = rows(numbers.map(lambda _: tf.random.uniform(()), num_parallel_calls=4))
said["data map of NumPy"] = rows(numbers.map(of_numpy, num_parallel_calls=4))
said["data ahead"] = []
for row in numbers.map(of_numpy, num_parallel_calls=4).prefetch(4):
    said["data ahead"].append([float(row), np.random.rand(), random.random()])
    time.sleep(random.SystemRandom().random() / 200)

if "REPRO_SEED" in os.environ:  # plain, these are refused at level strict or never the same
    say("non-deterministic", make.from_non_deterministic_state().normal((4,)))
    say("non-deterministic next", make.from_non_deterministic_state().normal((4,)))
    tf.random.set_global_generator(None)
    say("global generator", tf.random.get_global_generator().normal((4,)))
    tf.random.set_seed(None)
    say("set_seed None", normal())
    said["graph"], said["graph next"] = in_graph(None), in_graph(None)

def outcome(step):
    try:
        step()
    except Exception as problem:
        return type(problem).__name__

errors = {
    "text": lambda: [tf.random.set_seed("a"), normal()],
    "generator": lambda: make.from_seed(None),
    "three": lambda: tf.random.stateless_normal((4,), seed=(1, 2, 3)),
    "one": lambda: tf.random.stateless_normal((4,), seed=5),
    "tensor": lambda: tf.random.stateless_normal((4,), seed=tf.constant([1, 2])),
}
errors = {name: outcome(step) for name, step in errors.items()}
sites = []
if "REPRO_SEED" in os.environ:
    import seedlock
    sites = [[each["line"], each["given"]] for each in seedlock.report()["user_seeds"]]
print(json.dumps({"said": said, "errors": errors, "sites": sites}))
"""

SAME = (
    ("set_seed 42", "set_seed 42 again", "set_seed 42 of NumPy", "v1 set_random_seed 42"),
    ("op 1", "op 1 again"),
    ("traced 5", "traced 5 again"),
    ("from_seed 1", "from_seed 1 again", "reset_from_seed 1", "from_state of 1",
     "set_global_generator 1"),
    ("from_key_counter 1", "reset_from_key_counter 1"),
    ("stateless normal", "stateless normal again", "stateless normal traced"),
    ("graph 11", "graph 11 again"),
    ("data shuffle 3", "data shuffle 3 again"),
)  # fmt: skip
"""Draws that the author's seeds make equal, plain and locked."""

DIFFERENT = (
    ("set_seed 42", "set_seed 43", "traced 5"),
    ("op 1", "op 1 goes on"),
    ("from_seed 1", "from_seed 2", "from_seed list"),
    ("stateless normal", "stateless normal other"),
    ("graph 11", "graph 12", "graph", "graph next"),
    ("non-deterministic", "non-deterministic next", "global generator"),
)


@pytest.fixture(scope="module", name="runs")
def _runs(said_by_start: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The program's runs: plain, two under seed 7, one under seed 8, one that keeps seeds."""
    keep: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_USER_SEEDS": "keep"}
    return {
        **{name: said["tensorflow"] for name, said in said_by_start.items()},
        "keep": python("-c", PROGRAM, **without("jax", "sklearn"), **keep).json(),
    }


def equal(said: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Tell whether all of some draws are equal."""
    return all(said[name] == said[names[0]] for name in names)


def test_the_same_outside_seed_gives_the_same_draws(runs: dict[str, Any]) -> None:
    """Also of what TensorFlow draws from the system otherwise, and of functions in tf.data that run
    in parallel or ahead of the program and draw from NumPy's and Python's generators."""
    assert runs["first"]["said"] == runs["again"]["said"]


def test_another_outside_seed_gives_other_draws(runs: dict[str, Any]) -> None:
    """Whatever the program seeds, and by whatever way, hears the outside seed."""
    first, other = runs["first"]["said"], runs["other"]["said"]

    assert [name for name in first if first[name] == other[name]] == ["own key"]


def test_the_controls_are_deaf_without_a_lock(runs: dict[str, Any]) -> None:
    """Plain, each seeded draw is what REPRO_USER_SEEDS=keep gives: the author's constant."""
    plain, keep = runs["plain"]["said"], runs["keep"]["said"]
    scheduled = {"data map", "data map of NumPy", "data ahead"}

    assert {name for name in plain if plain[name] != keep[name]} <= scheduled


@pytest.mark.parametrize("run", ["plain", "first", "keep"])
def test_the_structure_of_the_authors_seeds_stays(run: str, runs: dict[str, Any]) -> None:
    """Equal seeds give equal streams and different ones different streams; seeding restarts;
    states and keys of generators are no seeds."""
    said = runs[run]["said"]

    assert [names for names in SAME if not equal(said, names)] == []
    for names in DIFFERENT:
        drawn = [json.dumps(said[name]) for name in names if name in said]
        assert len(set(drawn)) == len(drawn), names
    assert set(said["own key"]) == {0.0}


def test_an_operations_seed_is_the_same_in_graphs_without_a_seed(runs: dict[str, Any]) -> None:
    """Graphs without a seed differ in what they draw without one, not in what a seed says."""
    said = runs["first"]["said"]

    assert said["graph"][1] == said["graph next"][1]
    assert said["graph"][0] != said["graph next"][0]


def test_bad_values_raise_what_they_raise_without_a_lock(runs: dict[str, Any]) -> None:
    """TensorFlow's own errors come through; a tensor is a seed as written."""
    assert runs["plain"]["errors"] == runs["first"]["errors"]
    assert runs["first"]["errors"]["tensor"] is None
    assert None not in [runs["first"]["errors"][name] for name in ("generator", "three", "one")]


def test_the_report_names_the_authors_lines(runs: dict[str, Any]) -> None:
    """Each site with what was given there; what TensorFlow does inside is no site."""
    sites = runs["first"]["sites"]

    assert ["tf.random.set_seed(seed)", ["42", "43"]] in sites
    assert ["tf.random.set_seed(5)", ["5"]] in sites  # in code that AutoGraph generated from it
    assert ['say("from_seed list", make.from_seed([1, 2]).normal((4,)))', ["[1, 2]"]] in sites
    assert all(line for line, _ in sites)
