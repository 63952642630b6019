"""The python adapter, in real processes."""

from __future__ import annotations

from tests.adapters.probe import Run, deaf, same_draws

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
    assert "random.Random() without a seed" in gaps
