"""seed_values.py: which seeds are one, and which were measured, not chosen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock import seed_values
from seedlock.seed_values import canonical, looks_measured

NUMBERS = st.integers(-(2**70), 2**70)
SEEDS = st.recursive(
    NUMBERS | st.text(max_size=5) | st.binary(max_size=5) | st.floats(allow_nan=False),
    lambda parts: st.lists(parts, max_size=3),
    max_leaves=5,
)


@given(SEEDS, SEEDS)
def test_different_seeds_have_different_paths(one: Any, other: Any) -> None:
    """No two seeds share a path, however they are nested; equal text of a value is no equality."""
    assert (canonical(one) == canonical(other)) == (repr(one) == repr(other))


def test_what_counts_as_one_seed() -> None:
    """The rules that canonical() states."""
    numpy = pytest.importorskip("numpy")
    one = [1, True, numpy.int64(1), numpy.array(1), numpy.bool_(True)]
    texts = ["1", b"1", 1.0, [1], [[1]], ["1"], [1, 0], None]
    lists = [[1, 2], (1, 2), range(1, 3), numpy.array([1, 2])]
    raw = [b"ab", bytearray(b"ab"), memoryview(b"ab")]

    assert {canonical(each) for each in one} == {(1,)}
    assert len({canonical(each) for each in [1, *texts]}) == 9
    assert len({canonical(each) for each in lists}) == 1
    assert len({canonical(each) for each in raw}) == 1
    assert canonical(2**20000) != canonical(2**20000 + 1)  # too long for decimal digits


CLOCKS: dict[str, Callable[[], float]] = {
    "time.time()": time.time,
    "int(time.time())": lambda: int(time.time()),
    "int(time.time() * 10)": lambda: int(time.time() * 10),
    "int(time.time() * 1000)": lambda: int(time.time() * 1000),
    "int(time.time() * 1e6)": lambda: int(time.time() * 1e6),
    "time.time_ns()": time.time_ns,
    "time.time_ns() // 1000": lambda: time.time_ns() // 1000,
    "time.time_ns() // 100": lambda: time.time_ns() // 100,
    "time.monotonic_ns()": time.monotonic_ns,
    "time.perf_counter_ns()": time.perf_counter_ns,
    "an hour ago": lambda: int(time.time()) - 3600,
}


@pytest.mark.parametrize("source", CLOCKS)
def test_clocks_are_found(source: str) -> None:
    """In whole and in parts of seconds."""
    assert looks_measured(CLOCKS[source]()) == "a clock"


@pytest.mark.parametrize("bits", [31, 32])
@pytest.mark.parametrize("part", [10**6, 10**3, 1])
def test_clocks_cut_to_a_seeds_size_are_found(
    bits: int, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """int(time.time() * 1000) % 2**32 and its kin, where the clock was read a moment ago; a
    standing clock, for this test must not depend on the machine's pace."""
    now = 1_800_000_000_123_456_789
    monkeypatch.setattr(time, "time_ns", lambda: now)
    seed = (now - 500_000) // part % 2**bits

    assert looks_measured(seed) == ("a clock" if seed >= seed_values.COMMON else "")


@pytest.mark.parametrize(
    "seed",
    [0, 1, 2, 7, 42, 123, 1234, 1337, 2024, 3407, 12345, 65535, 20240131, 31415926, 2**31 - 1,
     2**32 - 1, -1, 0.5, 3.14, float("nan"), float("inf"), "now", b"1", None, True, [1, 2], 2**128,
     2**2000, 3735928559, 271828182845, 10**18],
)  # fmt: skip
def test_seeds_that_people_write_down_are_no_clocks(
    seed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At this moment, and a process id that is by chance the same does not make it one."""
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_123_456_789)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 1_000_000_000_000)
    if isinstance(seed, int) and 1 < seed < seed_values.SMALL:
        monkeypatch.setattr(os, "getpid", lambda: seed)

    assert looks_measured(seed) == ""
