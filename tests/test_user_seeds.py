"""user_seeds.py: the policy behind every seed of the author's, and blocks of fixed()."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock import seed_values, stand_ins
from seedlock.errors import UserSeedRefused
from seedlock.user_seeds import UserSeeds
from tests.interpreter import python

NUMBERS = st.integers(-(2**70), 2**70)
SEEDS = st.recursive(
    NUMBERS | st.text(max_size=5) | st.binary(max_size=5) | st.floats(allow_nan=False),
    lambda parts: st.lists(parts, max_size=3),
    max_leaves=5,
)


def policy(kind: str = "mix", root: int = 7) -> UserSeeds:
    """Return a policy without libraries."""
    return UserSeeds(root, kind, lambda _: None)


@given(SEEDS, st.integers(1, 256))
def test_a_mixed_seed_lies_in_its_range(seed: Any, bits: int) -> None:
    """Whatever the library's seeds may be."""
    assert 0 <= policy().mixed("torch", seed, bits) < 2**bits


def test_a_mixed_seed_depends_on_root_library_and_seed_alone() -> None:
    """Not on the process, nor on how often it was asked for."""
    mixed = policy().mixed("torch", 42, 64)
    child = policy()
    child.enter("0/2")

    assert policy().choose("torch", 42, 64, "f") == mixed == child.choose("torch", 42, 64, "f")
    assert len({mixed, policy().mixed("torch", 43, 64), policy().mixed("numpy", 42, 64),
                policy(root=8).mixed("torch", 42, 64)}) == 4  # fmt: skip


def test_seeds_of_generators_without_one_depend_on_place_and_order() -> None:
    """Each process of the family counts for itself, and each library."""
    drawn = {}
    for place in ("", "0", "1"):
        seeds = policy()
        seeds.enter(place)
        drawn[place] = [seeds.unseeded(name, 64, "f") for name in ("numpy", "torch") * 3]

    assert len({seed for row in drawn.values() for seed in row}) == 18
    assert [policy().unseeded("numpy", 64, "f") for _ in range(2)] == [drawn[""][0]] * 2


def test_derived_system_bytes_have_any_length() -> None:
    """As os.urandom's; no two calls begin alike."""
    seeds = policy()
    drawn = [seeds.system(size) for size in (0, 1, 16, 32, 33, 1000)]

    assert [len(each) for each in drawn] == [0, 1, 16, 32, 33, 1000]
    assert len({each[:16] for each in drawn[2:]}) == 4
    assert policy().system(0) == b""


def test_keep_and_refuse() -> None:
    """keep returns nothing to use instead; refuse raises with the cures, whatever was given."""
    assert policy("keep").choose("torch", 42, 64, "torch.manual_seed") is None
    with pytest.raises(UserSeedRefused, match=r"torch\.manual_seed was given the seed 42.*fixed"):
        policy("refuse").choose("torch", 42, 64, "torch.manual_seed")
    with pytest.raises(ValueError, match="refuse"):
        policy("refuse").choose("numpy", list(range(1000)), 64, "numpy.random.seed")


def test_own_seeds_are_nobodys_business() -> None:
    """What seedlock sets itself is neither mixed nor noted, under any policy."""
    seeds = policy("refuse")
    with stand_ins.own():
        assert seeds.choose("torch", 42, 64, "f") is None
    assert seeds.sites.as_list() == []


def test_process_ids_are_found(tmp_path: Any) -> None:
    """Large ones always, small ones, common in containers, where the file speaks of them."""
    seeds = {
        f"import os, random\nrandom.seed(os.getpid()){more}": True for more in ("", "  # again")
    }
    for code, found in seeds.items():
        path = tmp_path / "program.py"
        path.write_text(f"{code}\nimport seedlock\nprint(seedlock.report()['gaps'])")
        out = python(str(path), REPRO_SEED="7").out
        assert ("program.py:2 seeds with a process id: random.seed" in out) is found
    if os.getpid() < seed_values.SMALL:
        assert seed_values.looks_measured(os.getpid(), str(tmp_path / "none.py")) == ""
    else:
        assert seed_values.looks_measured(os.getpid()) == "a process id"


FIXED = """
import asyncio, contextlib, json, random, threading
import seedlock
import numpy as np

out = {}
def pair():
    random.seed(42); np.random.seed(42)
    return [random.random(), float(np.random.rand()), float(np.random.default_rng(42).random())]

plain_draws = [0.6394267984578837, 0.3745401188473625, 0.7739560485559633]
before = random.getstate()[1][:5], np.random.get_state()[1][:5].tolist()
with seedlock.fixed():
    out["block"] = pair()
    with seedlock.fixed():
        out["nested"] = pair()
    out["after nested"] = pair()
assert (random.getstate()[1][:5], np.random.get_state()[1][:5].tolist()) == before
out["goes on"] = [random.random(), float(np.random.rand())]

@seedlock.fixed
def decorated(depth=0):
    "Say so."
    return decorated(depth - 1) if depth else pair()
assert decorated.__name__ == "decorated" and decorated.__doc__ == "Say so."
out["decorated"], out["recursive"] = decorated(), decorated(3)
@seedlock.fixed()
def called(): return pair()
out["called"] = called()

@seedlock.fixed
def generator():
    got = yield pair()
    yield [got] + pair()
    return "end"
def delegating():
    out["returned"] = yield from generator()
consumer = delegating()
out["generator"] = next(consumer)
out["mixed between"] = pair()
out["sent"] = consumer.send("sent")
assert list(consumer) == []
closing = generator(); next(closing); closing.close()

@contextlib.contextmanager
def split():
    with seedlock.fixed():
        yield
with split():
    out["context manager"] = pair()

@seedlock.fixed
async def coroutine():
    await asyncio.sleep(0)
    return pair()
@seedlock.fixed
async def several():
    yield pair()
    await asyncio.sleep(0)
    yield pair()
@contextlib.asynccontextmanager
@seedlock.fixed
async def guarded():
    try:
        yield pair()
    except KeyError as problem:
        out["thrown"] = [*problem.args, *pair()]
@seedlock.fixed
async def answering():
    got = yield pair()
    yield [got, *pair()]
async def other():
    await asyncio.sleep(0)
    return pair()
async def tasks():
    out["coroutine"], out["mixed task"] = await asyncio.gather(coroutine(), other())
    out["asynchronous"] = [each async for each in several()]
    with seedlock.fixed():
        out["awaited"] = (await asyncio.gather(other()))[0]
    out["mixed after"] = pair()
    async with guarded() as out["guarded"]:
        raise KeyError("thrown")
    later = answering()
    await anext(later)
    out["sent later"] = await later.asend("sent")
    await later.aclose()
asyncio.run(tasks())

def in_thread(name, block):
    with block:
        entered.wait(); out[name] = float(np.random.default_rng(42).random()); entered.wait()
entered = threading.Barrier(2)
both = [threading.Thread(target=in_thread, args=each) for each in
        (("thread", seedlock.fixed()), ("mixed thread", contextlib.nullcontext()))]
for each in both: each.start()
for each in both: each.join()

try:
    with seedlock.fixed():
        random.seed(1); raise KeyError
except KeyError:
    out["mixed after error"] = pair()
out["policies"] = sorted({each["policy"] for each in seedlock.report()["user_seeds"]})
print(json.dumps([plain_draws, out]))
"""


def test_fixed_holds_for_what_is_in_it_and_nothing_else() -> None:
    """As a block, nested, decorating functions, generators and coroutines, in tasks and threads:
    seeds count as written inside, and are mixed outside and between."""
    runs = [python("-c", FIXED, REPRO_SEED=seed).json() for seed in "78"]
    for plain, out in runs:
        fixed = ("block", "nested", "after nested", "decorated", "recursive", "called", "generator",
                 "context manager", "coroutine", "awaited", "guarded")  # fmt: skip
        assert {name: out[name] for name in fixed} == dict.fromkeys(fixed, plain)
        assert out["sent"] == ["sent", *plain] and out["returned"] == "end"
        assert out["asynchronous"] == [plain, plain]
        assert out["thrown"] == ["thrown", *plain] and out["sent later"] == ["sent", *plain]
        assert out["thread"] == plain[2] != out["mixed thread"]
        mixed = [out[name] for name in out if name.startswith("mixed") and "thread" not in name]
        assert all(each == mixed[0] and not set(each) & set(plain) for each in mixed)
        assert out["policies"] == ["fixed", "mix"]
    seven, eight = (out for _, out in runs)
    assert not set(seven["goes on"]) & set(eight["goes on"])
    assert seven["mixed between"] != eight["mixed between"]


def test_threads_leave_their_own_entry_of_a_block_that_they_share() -> None:
    """Whichever leaves first: a thread that has left one hears the outside seed again."""
    code = (
        "import random, seedlock, threading\n"
        "block, entered, left = seedlock.fixed(), threading.Event(), threading.Event()\n"
        "both = threading.Barrier(2)\n"
        "draw = lambda: random.Random(1).random()\n"
        "out = {}\n"
        "def first():\n"
        "    with block: entered.set(); both.wait()\n"
        "    out['first, after'] = draw(); left.set()\n"
        "def second():\n"
        "    entered.wait()\n"
        "    with block: both.wait(); left.wait(); out['second'] = draw()\n"
        "    out['second, after'] = draw()\n"
        "threads = [threading.Thread(target=each) for each in (first, second)]\n"
        "[each.start() for each in threads]; [each.join() for each in threads]\n"
        "assert out['second'] == 0.13436424411240122\n"
        "assert out['first, after'] == out['second, after'] == draw() != out['second']\n"
    )
    python("-c", code, REPRO_SEED="7")


def test_main_generators_go_on_after_a_block_as_if_it_had_not_been() -> None:
    """The draws after a fixed() block are those of a program without it."""
    code = (
        "import random, sys, seedlock, numpy as np\n"
        "np.random.rand(); random.random(); random.gauss(0, 1)\n"
        "if len(sys.argv) > 1:\n"
        "    with seedlock.fixed():\n"
        "        random.seed(1); np.random.seed(1); np.random.randn(); random.gauss(0, 1)\n"
        "print(random.gauss(0, 1), random.random(), np.random.rand(), np.random.randn())"
    )
    without, with_block = (python("-c", code, *more, REPRO_SEED="7").out for more in ([], ["x"]))

    assert with_block == without


def test_fixed_does_nothing_without_a_seed() -> None:
    """The same program runs plain."""
    code = "import random, seedlock\nwith seedlock.fixed(): random.seed(1)\nprint(random.random())"

    assert python("-c", code).out == "0.13436424411240122\n"


def test_refuse_ends_at_the_call_and_spares_blocks() -> None:
    """The error says what to do; in a block of fixed() the seed counts as written."""
    code = (
        "import random, seedlock, numpy as np\n"
        "with seedlock.fixed(): random.seed(1); print(random.random())\n"
        "for seed in (random.seed, np.random.seed, np.random.default_rng, np.random.RandomState):\n"
        "    try: seed(5)\n"
        "    except ValueError as problem: print(type(problem).__name__, problem)\n"
        "state = np.random.get_state()[1][:3].tolist()\n"
        "try: np.random.seed([1, 2])\n"
        "except ValueError: print(np.random.get_state()[1][:3].tolist() == state)\n"
        "np.random.default_rng(); random.Random()"
    )
    lines = python("-c", code, REPRO_SEED="7", REPRO_USER_SEEDS="refuse").lines

    assert lines[0] == "0.13436424411240122"
    assert [line.split()[0] for line in lines[1:5]] == ["UserSeedRefused"] * 4
    assert all("seedlock.fixed()" in line and "#user-seed" in line for line in lines[1:5])
    assert lines[5:] == ["True"]
