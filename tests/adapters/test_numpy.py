"""The numpy adapter, in real processes."""

from __future__ import annotations

import json
import sysconfig
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.probe import Run, deaf, locked, same_draws
from tests.interpreter import python

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import numpy as np

early = "numpy.random" in sys.modules
print(json.dumps({
    "draws": {
        "rand": np.random.rand(3).tolist(),
        "randn": np.random.randn(3).tolist(),
        "randint": np.random.randint(2**31, size=5).tolist(),
        "permutation": np.random.permutation(20).tolist(),
        "choice": np.random.choice(50, 20).tolist(),
        "bytes": np.random.bytes(8).hex(),
        "mtrand": np.random.mtrand._rand.uniform(size=3).tolist(),
    },
    "environment": in_c("OMP_DYNAMIC", "MKL_DYNAMIC", "CUBLAS_WORKSPACE_CONFIG"),
    "early": early,
}))
if "UNDO" in os.environ:
    os.environ["OMP_DYNAMIC"] = "TRUE"
    del os.environ["MKL_DYNAMIC"]
"""
GIVEN = {"strict": {"OMP_DYNAMIC": "TRUE"}}

LOCKED = {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE", "CUBLAS_WORKSPACE_CONFIG": None}
UNLOCKED = dict.fromkeys(LOCKED)


def test_one_seed_gives_the_same_draws_at_every_level(runs: dict[str, Run]) -> None:
    """The global generator comes from the outside seed, not from the level."""
    assert same_draws(runs)


def test_another_seed_gives_other_draws_from_each_generator(runs: dict[str, Run]) -> None:
    """Each function over the global generator hears the outside seed."""
    assert deaf(runs) == []


def test_importing_numpy_alone_does_not_import_its_random(runs: dict[str, Run]) -> None:
    """A program that never draws never pays for numpy.random, which the seed waits for."""
    assert runs["strict"].said["early"] is False


def test_level_seed_leaves_the_environment_as_it_is(runs: dict[str, Run]) -> None:
    """Level seed sets seeds only."""
    assert runs["unlocked"].said["environment"] == UNLOCKED
    assert runs["seed"].said["environment"] == UNLOCKED


def test_levels_warn_and_strict_set_the_environment(runs: dict[str, Run]) -> None:
    """The C half reads the variables that keep a team of threads at its size, and none of CUDA's,
    which NumPy has no use for."""
    assert runs["warn"].said["environment"] == LOCKED
    assert runs["strict"].said["environment"] == LOCKED


def test_an_unsuitable_value_of_the_users_is_replaced_and_recorded(runs: dict[str, Run]) -> None:
    """The report keeps the value that stood there before."""
    assert runs["strict"].library("numpy")["replaced"] == {"OMP_DYNAMIC": "TRUE"}
    assert runs["warn"].library("numpy")["replaced"] == {}


def test_what_user_code_undoes_is_in_the_report(runs: dict[str, Run]) -> None:
    """Variables that changed before the exit are overridden; untouched ones are not."""
    assert runs["other"].library("numpy")["overridden"] == {
        "OMP_DYNAMIC": {"set": "FALSE", "now": "TRUE"},
        "MKL_DYNAMIC": {"set": "FALSE", "now": None},
    }
    assert runs["strict"].library("numpy")["overridden"] == {}


def test_a_program_that_draws_nothing_has_no_numpy_seed_in_its_report(tmp_path: Path) -> None:
    """The report doesn't claim a seed that was never set."""
    run = locked("import numpy\nprint(json.dumps(None))", tmp_path)

    assert run.library("numpy")["seeds"] == {}


STREAMS = """
import copy, pickle, json
import numpy as np
from numpy.random import (MT19937, PCG64, PCG64DXSM, SFC64, Generator, Philox, RandomState,
    SeedSequence, default_rng)

BIG = 2**200 + 5

def words(generator):
    if isinstance(generator, RandomState):
        return generator.bytes(16).hex()
    if isinstance(generator, SeedSequence):
        return generator.generate_state(4).tobytes().hex()
    return Generator(getattr(generator, "bit_generator", generator)).bytes(16).hex()

def legacy(*seeds):
    for seed in seeds:
        np.random.seed(seed)
    return words(np.random.mtrand._rand)

def again(seed):
    state = RandomState(1)
    state.rand(3)
    state.seed(seed)
    return words(state)

streams = {
    "seed 0": legacy(0), "seed 1": legacy(1), "seed 1 0": legacy(1, 0), "seed 0 0": legacy(0, 0),
    "seed [1, 2, 3]": legacy([1, 2, 3]), "seed (1, 2, 3)": legacy((1, 2, 3)),
    "seed array": legacy(np.array([1, 2, 3])), "seed [1, 2]": legacy([1, 2]),
    "seed [0]": legacy([0]), "seed [True, 2]": legacy([True, 2]),
    "seed int64": legacy(np.int64(1)), "seed array of one": legacy(np.array([1])),
    "seed 0-d array": legacy(np.array(1)), "seed True": legacy(True),
    "seed 2**32 - 1": legacy(2**32 - 1),
    "RandomState 0": words(RandomState(0)), "RandomState 1": words(RandomState(1)),
    "RandomState [1, 2]": words(RandomState([1, 2])), "RandomState.seed 2": again(2),
    "RandomState.seed [1, 2]": again([1, 2]), "RandomState 2": words(RandomState(2)),
    **{f"{kind.__name__} {seed}": words(kind(seed))
       for kind in (MT19937, PCG64, PCG64DXSM, Philox, SFC64, default_rng, SeedSequence)
       for seed in (0, 1)},
    "rng [1]": words(default_rng([1])), "rng (1,)": words(default_rng((1,))),
    "rng (2, 1)": words(default_rng((2, 1))), "rng [2, 1]": words(default_rng([2, 1])),
    "rng range": words(default_rng(range(3))), "rng [0, 1, 2]": words(default_rng([0, 1, 2])),
    "rng array": words(default_rng(np.array([2, 1]))), "rng int64": words(default_rng(np.int64(1))),
    "rng uint64": words(default_rng(np.array([2**40], dtype=np.uint64))),
    "rng 2**40": words(default_rng(2**40)), "rng ['1']": words(default_rng(["1"])),
    "rng ['0x1']": words(default_rng(["0x1"])), "rng [1, 0]": words(default_rng([1, 0])),
    "rng [[1], 2]": words(default_rng([[1], 2])), "rng [1, 2]": words(default_rng([1, 2])),
    "rng True": words(default_rng(True)), "rng []": words(default_rng([])),
    "rng ()": words(default_rng(())), "rng big": words(default_rng(BIG)),
    "rng big + 1": words(default_rng(BIG + 1)), "rng [big]": words(default_rng([BIG])),
    "rng of sequence": words(default_rng(SeedSequence(1))),
    "sequence, key": words(SeedSequence(1, spawn_key=(0,))),
    "sequence, key of two": words(SeedSequence(1, spawn_key=(0, 1))),
    "sequence, larger": words(SeedSequence(1, pool_size=8)),
    "sequence, entropy": words(SeedSequence(SeedSequence(1).entropy)),
}
for index, child in enumerate(SeedSequence(1).spawn(3)):
    streams[f"child {index}"] = words(child)
    streams[f"grandchild {index}"] = words(child.spawn(1)[0])
for index, child in enumerate(getattr(default_rng(1), "spawn", lambda n: [])(2)):
    streams[f"child of generator {index}"] = words(child)

unseeded = SeedSequence()
wide = SeedSequence(pool_size=8)
later = SeedSequence(5)
with_children = later.spawn(2)
holds = {
    "unseeded sequence from its entropy": words(SeedSequence(unseeded.entropy)) == words(unseeded),
    "wide one": words(SeedSequence(wide.entropy, pool_size=8)) == words(wide),
    "child from its key": words(SeedSequence(unseeded.entropy, spawn_key=(0,)))
        == words(unseeded.spawn(1)[0]),
    "counts children": later.n_children_spawned == 2 and later.entropy == 5
        and [each.spawn_key for each in with_children] == [(0,), (1,)],
    "entropy as given": SeedSequence([1, 2]).entropy == [1, 2],
    "entropy has its size": unseeded.entropy.bit_length() <= 128 < wide.entropy.bit_length(),
    "types": type(default_rng(1)).__name__ == "Generator" and type(RandomState(1)) is RandomState
        and isinstance(MT19937(1), np.random.BitGenerator) and MT19937.__name__ == "MT19937",
    "method's name": MT19937._legacy_seeding.__name__ == "_legacy_seeding",
}
generators = {"rng": default_rng(3), "state": RandomState(3), "sequence": SeedSequence(3),
              "pcg": PCG64(3), "philox": Philox(3), "legacy": np.random.mtrand._rand}
pickles = {name: pickle.dumps(each) for name, each in generators.items()}
copies = {name: copy.deepcopy(each) for name, each in generators.items()}
further = {name: words(each) for name, each in generators.items()}
for name in generators:
    holds[f"copy of {name}"] = words(copies[name]) == further[name]
    holds[f"pickle of {name}"] = words(pickle.loads(pickles[name])) == further[name]
after = {name: words(copy.deepcopy(default_rng(3))) for name in "ab"}
holds["copies repeat"] = after["a"] == after["b"]

def error(make, *args):
    try:
        make(*args)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"

bad = [-1, 2**32, 1.5, "x", "5", None, [], [[1, 2]], [-1], [2**32], [1.5], [None], {}, {1: 2},
       object, np.array([1.5]), np.array([-1]), b"1", float("nan"), [[1], 2]]
errors = {}
for number, seed in enumerate(bad):
    for name, make in {"seed": np.random.seed, "RandomState": RandomState, "rng": default_rng,
                       "sequence": SeedSequence, "MT19937": MT19937}.items():
        errors[f"{number} {name}"] = error(make, seed)
    # What failed must not leave anything behind for what follows.
    streams[f"after {number}"] = words(default_rng((2, 1)))
print(json.dumps({
    "streams": streams, "holds": holds, "errors": errors, "further": further,
    "pickles": {name: each.hex() for name, each in pickles.items()},
}))
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


def same(streams: dict[str, str]) -> set[tuple[str, str]]:
    """Return the pairs of names whose streams are equal."""
    return {(a, b) for a in streams for b in streams if streams[a] == streams[b]}


def test_mixing_keeps_the_authors_structure(table: dict[str, Any]) -> None:
    """Seedings that are equal to NumPy give equal streams under seedlock, different ones
    different streams, in all of NumPy's ways to give a seed."""
    assert same(table["mixed"]["streams"]) == same(table["plain"]["streams"])
    assert same(table["other"]["streams"]) == same(table["plain"]["streams"])


def test_mixed_seeds_hear_the_outside_seed_and_nothing_else(table: dict[str, Any]) -> None:
    """No stream is what it is without a seed or under another one; all repeat."""
    for name, words in table["mixed"]["streams"].items():
        assert words not in table["plain"]["streams"].values(), name
        assert words not in table["other"]["streams"].values(), name
    assert table["mixed"] == table["again"]


def test_kept_seeds_count_as_written(table: dict[str, Any]) -> None:
    """REPRO_USER_SEEDS=keep gives NumPy's own streams."""
    assert table["kept"]["streams"] == table["plain"]["streams"]


@pytest.mark.parametrize("run", ["plain", "mixed", "kept"])
def test_sequences_copies_and_types_are_as_numpy_has_them(table: dict[str, Any], run: str) -> None:
    """Entropy, spawn keys, copies, pickles, types and names."""
    assert [name for name, holds in table[run]["holds"].items() if not holds] == []


def test_bad_seeds_raise_numpys_own_errors(table: dict[str, Any]) -> None:
    """Type and text of each error are those without seedlock."""
    assert table["mixed"]["errors"] == table["plain"]["errors"]
    assert table["kept"]["errors"] == table["plain"]["errors"]


def test_pickles_go_on_in_a_process_without_seedlock(table: dict[str, Any], bare: str) -> None:
    """A pickle holds NumPy's types only, and the stream goes on where it was."""
    code = (
        "import sys; sys.path.append(sys.argv[1]); import json, pickle\n"
        + STREAMS[STREAMS.index("import numpy") : STREAMS.index("def legacy")]
        + "given = json.loads(sys.stdin.read())\n"
        "assert 'seedlock' not in sys.modules\n"
        "print(json.dumps({n: words(pickle.loads(bytes.fromhex(p))) for n, p in given.items()}))"
    )
    folder = sysconfig.get_paths()["platlib"]
    given = json.dumps(table["mixed"]["pickles"])
    done = python("-c", code, folder, executable=bare, stdin=given)

    assert done.json() == table["mixed"]["further"]


UNSEEDED = """
import json, threading
import numpy as np
from numpy.random import RandomState, SeedSequence, default_rng

np.random.seed(None)
drawn = [np.random.bytes(8).hex()]
drawn += [default_rng().bytes(8).hex() for _ in range(3)]
drawn += [RandomState().bytes(8).hex() for _ in range(3)]
drawn += [SeedSequence().generate_state(2).tobytes().hex() for _ in range(3)]
drawn += [np.random.Generator(kind()).bytes(8).hex() for kind in
          (np.random.MT19937, np.random.PCG64, np.random.Philox, np.random.SFC64)]
ordered = list(drawn)
plain_words = default_rng(0).bytes(8).hex()

made = []
barrier = threading.Barrier(4)
def make():
    barrier.wait()
    made.extend(default_rng().bytes(8).hex() for _ in range(300))
threads = [threading.Thread(target=make) for _ in range(4)]
import sys
sys.setswitchinterval(1e-6)
for thread in threads: thread.start()
for thread in threads: thread.join()
import seedlock
report = seedlock.report() if seedlock.seed is not None else None
print(json.dumps({"ordered": ordered, "threads": sorted(made), "report": report}))
"""


def test_generators_without_a_seed_are_derived_in_their_order() -> None:
    """The next run makes the same ones; another outside seed others; no two are equal, not even
    those that threads make at once. Plain, no run repeats (the fault)."""
    plain = [python("-c", UNSEEDED).json() for _ in range(2)]
    first, second = (python("-c", UNSEEDED, REPRO_SEED="7").json() for _ in range(2))
    other = python("-c", UNSEEDED, REPRO_SEED="8").json()

    assert not set(plain[0]["ordered"]) & set(plain[1]["ordered"])
    assert first["ordered"] == second["ordered"]
    assert not set(first["ordered"]) & set(other["ordered"])
    assert len(set(first["ordered"] + first["threads"])) == len(first["ordered"]) + 1200
    assert first["threads"] == second["threads"]
    assert any("several threads" in gap for gap in first["report"]["gaps"])
    assert first["report"]["entropy"] == []  # NumPy's own import draws nothing from the system


ENTROPY_FIRST = """
import numpy as np
from seedlock.stand_ins import own
with own():
    print(np.random.SeedSequence().entropy % 2**96)
"""


def test_entropy_in_a_block_of_our_own_is_derived_before_anything_was_seeded() -> None:
    """An adapter may let a library make its own seed of one, as JAX's for stateful_rng."""
    first, second, other = (
        python("-c", ENTROPY_FIRST, REPRO_SEED=seed).out for seed in ("7", "7", "8")
    )

    assert int(first) > 2**64
    assert first == second
    assert first != other


SPAWNED = """
import json, seedlock
import numpy as np

def words(children):
    return [each.generate_state(4).tobytes().hex() for each in children]

with seedlock.fixed():
    split = np.random.SeedSequence(5)
mixed = np.random.SeedSequence(5)
outside = words(split.spawn(2))
with seedlock.fixed():
    inside = words(mixed.spawn(2))
print(json.dumps({"fixed": outside, "mixed": inside,
    "expected": words(np.random.SeedSequence(5).spawn(2)),
    "sites": len(seedlock.report()["user_seeds"])}))
"""


def test_children_of_a_sequence_follow_their_parent() -> None:
    """What a fixed sequence spawns after the block is fixed, what a mixed one spawns in a block
    is mixed, and spawning is no seed of the author's."""
    seven = python("-c", SPAWNED, REPRO_SEED="7").json()
    eight = python("-c", SPAWNED, REPRO_SEED="8").json()

    assert seven["fixed"] == eight["fixed"]
    assert seven["mixed"] == seven["expected"] != eight["mixed"] == eight["expected"]
    assert seven["sites"] == 3


def test_two_libraries_with_the_authors_seed_draw_different_words() -> None:
    """Plain, np.random.seed(42), random.Random's MT19937 and torch.manual_seed(42) start from one
    state; under mix each library has a stream of its own."""
    pytest.importorskip("torch")
    code = (
        "import json, numpy as np, torch\n"
        "np.random.seed(42); torch.manual_seed(42)\n"
        "a = [int(x) for x in np.random.randint(0, 2**32, size=8, dtype=np.uint32)]\n"
        "b = [int(x) & 0xFFFFFFFF for x in torch.empty(8, dtype=torch.int64).random_(0, 2**32)]\n"
        "c = np.random.RandomState(42).randint(0, 2**32, size=8, dtype=np.uint32).tolist()\n"
        "print(json.dumps([a, b, c]))"
    )
    plain, mixed = python("-c", code).json(), python("-c", code, REPRO_SEED="7").json()

    assert plain[0] == plain[2] and mixed[0] == mixed[2]
    assert set(plain[0]) & set(plain[1])
    assert not set(mixed[0]) & set(mixed[1])


USERS = {
    "sklearn": """
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
assert check_random_state(None) is np.random.mtrand._rand
state = np.random.RandomState(3)
assert check_random_state(state) is state and isinstance(check_random_state(3), type(state))
def once(seed):
    features, labels = make_classification(n_samples=60, random_state=seed)
    forest = RandomForestClassifier(n_estimators=4, random_state=seed).fit(features, labels)
    split = train_test_split(range(30), random_state=seed)[0]
    return [split, forest.predict_proba(features).tolist()]
try: check_random_state("x")
except ValueError as problem: error = str(problem)
""",
    "scipy": """
import scipy.stats
def once(seed):
    rng = scipy.stats.norm.rvs(size=5, random_state=np.random.default_rng(seed)).tolist()
    return [scipy.stats.norm.rvs(size=5, random_state=seed).tolist(), rng,
            scipy.stats.qmc.Sobol(2, seed=seed).random(4).tolist()]
try: scipy.stats.norm.rvs(random_state="x")
except ValueError as problem: error = str(problem)
""",
    "gymnasium": """
import gymnasium
from gymnasium.utils import seeding
def once(seed):
    rng, given = seeding.np_random(seed)
    assert given == seed
    env = gymnasium.make("CartPole-v1")
    start = env.reset(seed=seed)[0].tolist()
    env.action_space.seed(seed)
    return [rng.random(3).tolist(), start, env.reset()[0].tolist(),
            [int(env.action_space.sample()) for _ in range(60)]]
try: seeding.np_random(-1)
except gymnasium.error.Error as problem: error = str(problem)
""",
}


@pytest.mark.parametrize("library", USERS)
def test_libraries_on_numpys_generators_hear_the_outside_seed(library: str) -> None:
    """random_state=, seed= and reset(seed=) keep their structure without an adapter of their own;
    what they refuse they refuse as before."""
    pytest.importorskip(library)
    code = (
        "import json, numpy as np\n"
        + USERS[library]
        + "runs = [once(5), once(5), once(6)]\n"
        + "print(json.dumps({'same': runs[0] == runs[1], 'parts': runs, 'error': error}))"
    )
    names = ("plain", "mixed", "again", "other")
    plain, seven, again, eight = (python("-c", code, **RUNS[name]).json() for name in names)

    assert seven == again
    assert plain["same"] and seven["same"] and eight["same"]
    assert plain["error"] == seven["error"]
    for number, part in enumerate(seven["parts"][0]):
        others = [seven["parts"][2], eight["parts"][0], plain["parts"][0]]
        assert all(part != other[number] for other in others), number


def test_a_random_state_with_a_seed_is_no_generator_without_one() -> None:
    """RandomState(x) makes its MT19937 without a seed first: the report does not count that, nor
    take it for one in a thread; np.random.seed afterwards takes nothing else back."""
    code = (
        "import threading, numpy, seedlock\n"
        "numpy.random.RandomState(0)\n"
        "thread = threading.Thread(target=lambda: numpy.random.RandomState(1))\n"
        "thread.start(); thread.join()\n"
        "numpy.random.default_rng(); numpy.random.seed(3)\n"
        "report = seedlock.report()\n"
        "print([site['line'] for site in report['unseeded']], 'in several' in str(report['gaps']))"
    )
    done = python("-c", code, REPRO_SEED="7", check=True)

    assert done.out == "[''] False\n"


AGAIN = """
import importlib, json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")  # of NumPy, about its reload

def drawn():
    made = [np.random.default_rng(), np.random.default_rng(1), np.random.RandomState(),
            np.random.RandomState(1), np.random.default_rng(np.random.SeedSequence(1).spawn(1)[0])]
    return [np.random.rand(), *(each.standard_normal() for each in made)]

def reload(*names):
    for name in names if "reload" in sys.argv else ():
        importlib.reload(sys.modules[name])

np.random
reload("numpy.random.bit_generator", "numpy.random", "numpy")  # before the first call that seeds
first = drawn()
reload("numpy.random.bit_generator")
second = drawn()
reload("numpy", "numpy.random")
np.random.seed(3)
print(json.dumps([*first, *second, *drawn()]))
"""


def test_a_reload_changes_nothing() -> None:
    """NumPy's generators outlive importlib.reload, in C: what is drawn is what it is without."""
    reloaded = python("-c", AGAIN, "reload", REPRO_SEED="7").json()
    once = python("-c", AGAIN, REPRO_SEED="7").json()
    other = python("-c", AGAIN, "reload", REPRO_SEED="8").json()

    assert reloaded == once
    assert not set(reloaded) & set(other)
