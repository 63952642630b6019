"""The python adapter, in real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.probe import Run, deaf, same_draws
from tests.interpreter import python, reports

PROGRAM = """
import random

order = list(range(20))
random.shuffle(order)
print(json.dumps({
    "draws": {
        "random": random.random(),
        "getrandbits": random.getrandbits(64),
        "gauss": random.gauss(0, 1),
        "choices": random.choices("abcdef", k=20),
        "shuffle": order,
        "hash": hash("text"),
        "set of text": list({str(number) for number in range(20)}),
    },
    "environment": dict(os.environ),
}))
"""
GIVEN: dict[str, dict[str, str]] = {}


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """`random` and the order of sets of text come from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Each of the module's functions and the hash of text hear the outside seed."""
    assert deaf(runs) == []


def test_the_environment_gets_nothing_but_the_hash_seed(runs: dict[str, Run]) -> None:
    """Python's own library needs no variable, so none appears at level strict."""
    new = set(runs["strict"].said["environment"]) - set(runs["unlocked"].said["environment"])

    assert {name for name in new if not name.startswith("REPRO_")} == {
        "PYTHONHASHSEED",
        "_SEEDLOCK_HASH_SEED",
    }


def test_the_report_names_what_still_draws_from_the_system(runs: dict[str, Run]) -> None:
    """What the adapter leaves open is a gap and not silence."""
    gaps = " ".join(runs["strict"].library("python")["gaps"])

    assert "os.urandom" in gaps
    assert "REPRO_ENTROPY=lock" in gaps


STREAMS = """
import copy, json, pickle, random, warnings
from random import Random
warnings.simplefilter("ignore")

class Own(Random):
    def seed(self, a=None, version=2):
        super().seed(0 if a is None else a * 2, version)

class Plain(Random):
    pass

def seeded(*args, **options):
    random.seed(*args, **options)
    return random.random()

streams = {
    "seed 0": seeded(0), "seed 1": seeded(1), "seed 1 again": seeded(1), "seed True": seeded(True),
    "seed keyword": seeded(a=1), "seed big": seeded(2**200), "seed huge": seeded(2**20000),
    "seed huge + 1": seeded(2**20000 + 1), "seed 0.5": seeded(0.5), "seed 0.25": seeded(0.25),
    "seed text": seeded("text"), "seed other text": seeded("other"), "seed empty": seeded(""),
    "seed bytes": seeded(b"bytes"), "seed bytearray": seeded(bytearray(b"bytes")),
    "seed text, version 1": seeded("text", 1), "seed text, version=1": seeded("text", version=1),
    "Random 0": Random(0).random(), "Random 1": Random(1).random(), "Plain 1": Plain(1).random(),
    "Random text": Random("text").random(),
    "Own 1": Own(1).random(), "Random 2": Random(2).random(),
    "Random x=1": Random(x=1).random() if "x" in Random.__init__.__code__.co_varnames else 0.0,
}
generator = Random(1)
generator.random()
generator.seed(2)
streams["Random.seed 2"] = generator.random()

twins = {"deepcopy": copy.deepcopy(generator), "copy": copy.copy(generator),
         "pickle": pickle.loads(pickle.dumps(generator))}
pickled = pickle.dumps(generator).hex()
further = generator.random()
holds = {name: twin.random() == further for name, twin in twins.items()}
holds["type"] = type(generator) is Random and isinstance(random._inst, Random)
holds["bound"] = random.seed == random._inst.seed and random.seed.__name__ == "seed"
holds["system"] = random.SystemRandom(5).random() != random.SystemRandom(5).random()

def error(make, seed):
    try:
        make(seed)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"

errors = [error(make, seed) for make in (random.seed, Random, Plain)
          for seed in ([1], {1: 2}, {1}, [[]])]
try:
    random.seed(object())
    errors.append("taken")
except TypeError as problem:
    errors.append(str(problem))
print(json.dumps({"streams": streams, "holds": holds, "errors": errors, "pickled": pickled,
                  "further": further}))
"""


RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mixed": {"REPRO_SEED": "7"},
    "again": {"REPRO_SEED": "7"},
    "other": {"REPRO_SEED": "8"},
    "kept": {"REPRO_SEED": "7", "REPRO_USER_SEEDS": "keep"},
}


@pytest.fixture(scope="module", name="table")
def _table() -> dict[str, Any]:
    return {name: python("-c", STREAMS, **variables).json() for name, variables in RUNS.items()}


def same(streams: dict[str, float]) -> set[tuple[str, str]]:
    """Return the pairs of names whose streams are equal."""
    return {(a, b) for a in streams for b in streams if streams[a] == streams[b]}


def test_mixing_keeps_the_authors_structure(table: dict[str, Any]) -> None:
    """Equal seeds give equal streams, different ones different streams, reseeding restarts."""
    assert same(table["mixed"]["streams"]) == same(table["plain"]["streams"])


def test_mixed_seeds_hear_the_outside_seed_and_nothing_else(table: dict[str, Any]) -> None:
    """No stream is what it is without a seed or under another one; all repeat."""
    assert not set(table["mixed"]["streams"].values()) & set(table["plain"]["streams"].values())
    assert not set(table["mixed"]["streams"].values()) & set(table["other"]["streams"].values())
    assert table["mixed"]["streams"] == table["again"]["streams"]
    assert table["kept"]["streams"] == table["plain"]["streams"]


def test_copies_types_and_errors_are_pythons_own(table: dict[str, Any]) -> None:
    """Copies and pickles go on, types and names hold, bad seeds raise as they do plain."""
    for run in table.values():
        assert [name for name, holds in run["holds"].items() if not holds] == []
        assert run["errors"] == table["plain"]["errors"]


def test_pickles_go_on_in_a_process_without_seedlock(table: dict[str, Any], bare: str) -> None:
    """A pickled generator is Python's own."""
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).random())"
    done = python("-c", code, table["mixed"]["pickled"], executable=bare)

    assert float(done.out) == table["mixed"]["further"]


def test_generators_without_a_seed_are_derived_in_their_order() -> None:
    """random.Random(), random.seed() and random.seed(None), each the next in the process's order;
    a temporary file's name in between takes none of them."""
    code = (
        "import json, random, tempfile, sys\n"
        "drawn = [random.Random().random() for _ in range(3)]\n"
        "if len(sys.argv) > 1: tempfile.mktemp(); random.SystemRandom()\n"
        "random.seed(); drawn.append(random.random())\n"
        "random.seed(None); drawn.append(random.random())\n"
        "print(json.dumps(drawn))"
    )
    plain = [python("-c", code).json() for _ in range(2)]
    mixed = [python("-c", code, *more, REPRO_SEED="7").json() for more in ([], ["names"])]
    other = python("-c", code, REPRO_SEED="8").json()

    assert not set(plain[0]) & set(plain[1])
    assert mixed[0] == mixed[1]
    assert len(set(mixed[0] + other)) == 10


AGAIN = """
import importlib, json, multiprocessing, os, random, sys
from importlib.util import module_from_spec, spec_from_file_location

kept = random.random  # of the generator that this import made
kept()

def seeded(module):
    drawn = []
    for seed in (42, "text", b"bytes", 0.5):
        module.seed(seed)
        drawn.append(module.random())
    module.seed("text", version=1)
    return [*drawn, module.random(), module.Random(42).random()]

seeds = seeded(random)
unseeded = [random.Random().random()]
for _ in range(2):
    importlib.reload(random)
    unseeded.append(random.random())
    assert seeded(random) == seeds and random.seed == random._inst.seed
del sys.modules["random"]
import random
unseeded.append(random.random())
assert seeded(random) == seeds
others = [kept]
if "copy" in sys.argv:
    spec = spec_from_file_location("copied", random.__file__)
    copied = module_from_spec(spec)
    spec.loader.exec_module(copied)
    unseeded += [copied.random(), copied.Random().random()]
    copied.seed(42)
    assert [copied.random(), copied.Random(42).random()] == [seeds[0], seeds[-1]]
    others.append(copied.random)

def task(_):
    return [random.random(), *(draw() for draw in others)]

unseeded += [kept()]
with multiprocessing.get_context("fork").Pool(int(sys.argv[1])) as pool:
    tasks = pool.map(task, range(6), chunksize=1)
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, json.dumps(task(0)).encode())
    os._exit(0)
child = json.loads(os.read(reader, 1000))
print(json.dumps({"seeds": seeds, "unseeded": unseeded, "tasks": sum(tasks, []), "child": child}))
"""


def test_a_module_that_is_executed_again_is_locked_again() -> None:
    """importlib.reload and a second import: seeds give what they gave, each new generator is the
    next without a seed, and functions of the first one are drawn from in children and in tasks."""
    two, three = (python("-c", AGAIN, size, REPRO_SEED="7").json() for size in ("2", "3"))
    other = python("-c", AGAIN, "2", REPRO_SEED="8").json()

    assert two == three
    drawn = [*two["unseeded"], *two["tasks"], *two["child"]]
    assert len(set(drawn)) == len(drawn)
    for part, values in two.items():
        assert not set(values) & set(other[part])


def test_a_copy_that_no_import_brought_is_locked_and_a_gap(tmp_path: Path) -> None:
    """A module made from the file of `random`: seeded like it, but not for each task of a pool."""
    variables: dict[str, Any] = {"REPRO_SEED": "7", "REPRO_REPORT": str(tmp_path)}
    one, two = (python("-c", AGAIN, "2", "copy", **variables).json() for _ in range(2))

    for part in ("seeds", "unseeded", "child"):
        assert one[part] == two[part]
        assert len(set(one[part])) == len(one[part]) - (part == "seeds")
    gaps = " ".join(gap for report in reports(tmp_path) for gap in report["gaps"])
    assert "copied.Random, as in a copy of `random` that no import brought" in gaps
