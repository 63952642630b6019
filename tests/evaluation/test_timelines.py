"""A run's course in few numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock.evaluation import timelines
from seedlock.evaluation.timelines import Timeline, timeline
from seedlock.evaluation.traces import Run
from tests.evaluation.made_traces import child, event, op, step, write_run


def drawn(folder: Path, a: dict[str, Any], b: dict[str, Any]) -> list[Timeline]:
    """Return the timelines of two runs with these places."""
    return timeline(Run(write_run(folder / "a", **a)), Run(write_run(folder / "b", **b)))


def test_events_are_counted_by_kind_and_steps_compared(tmp_path: Path) -> None:
    """An event more in a step makes this step differ, not those behind it."""
    steps = [step(n) for n in range(5)]
    other = [*steps[:2], event("seed", step=2, op="random.seed"), *steps[2:]]

    found = drawn(tmp_path, {"first": [child("0"), *steps], "p0": [op(0)]},
                  {"first": [child("0"), *other]})  # fmt: skip

    assert found == [
        Timeline("", (6, 7), ({"step": 5, "child": 1}, {"step": 5, "child": 1, "seed": 1}), (5, 5),
                 1, (True, True, False, True, True)),
        Timeline("0", (1, 0), ({"op": 1}, {}), (1, 0), 1, (False,)),
    ]  # fmt: skip


def test_draws_from_the_system_are_left_aside(tmp_path: Path) -> None:
    """They differ in nearly every program without harm."""
    one, other = ([event("entropy", op="os.urandom", digest=each), step(0)] for each in "12")

    (found,) = drawn(tmp_path, {"first": one}, {"first": other})

    assert found.equal == (True,)


def test_many_steps_share_a_bin(tmp_path: Path) -> None:
    """At most 500 bins, one of which holds the step that differs."""
    steps = [step(n) for n in range(1203)]
    other = [*steps]
    other[700] = step(700, "ff")

    (found,) = drawn(tmp_path, {"first": steps}, {"first": other})

    assert (found.width, len(found.equal)) == (3, 401)
    assert [n for n, equal in enumerate(found.equal) if not equal] == [700 // 3]


@given(
    sizes=st.lists(st.integers(0, 4), min_size=1, max_size=20),
    changed=st.sets(st.integers(0, 19)),
    block=st.integers(1, 4000),
)
def test_blocks_make_no_difference(
    sizes: list[int],
    changed: set[int],
    block: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steps of any size, none among them, at any block size."""
    monkeypatch.setattr(timelines, "BLOCK", block)
    a = [op(n) for n, size in enumerate(sizes) for _ in range(size)]
    b = [op(n, digest="ff" if n in changed else "00") for n, size in enumerate(sizes)
         for _ in range(size)]  # fmt: skip

    (found,) = drawn(tmp_path_factory.mktemp("run"), {"first": a}, {"first": b})

    steps = a[-1]["step"] + 1 if a else 0
    assert found.equal == tuple(n not in changed or not sizes[n] for n in range(steps))
    assert found.events == (len(a), len(b))
