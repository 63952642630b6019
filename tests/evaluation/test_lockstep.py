"""The first difference between the events of one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock.evaluation import lockstep
from seedlock.evaluation.lockstep import Difference, first_difference
from seedlock.evaluation.processes import Place
from seedlock.evaluation.traces import Run
from tests.evaluation.made_traces import Event, event, op, step, write_process


def difference(
    folder: Path, first: list[Event], second: list[Event], results: bool = False
) -> Difference | None:
    """Return the first difference between two processes with these events."""
    for name, events in (("a", first), ("b", second)):
        write_process(folder / name, events)
    one, other = (Run(folder / name).streams[Place("")] for name in ("a", "b"))
    return first_difference(one, other, results)


EVENTS = st.lists(
    st.builds(
        lambda kind, digest, size: {**op(0, digest=digest), "kind": kind, "what": "x" * size},
        st.sampled_from(["op", "step", "batch", "seed"]),
        st.sampled_from(["01", "02"]),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=60,
)


@given(events=EVENTS, data=st.data(), block=st.integers(1, 3000), small=st.integers(1, 400))
def test_a_planted_difference_is_found_at_its_index(
    events: list[Event],
    data: st.DataObject,
    block: int,
    small: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the sizes of lines and blocks: a changed, an added and a lost event."""
    monkeypatch.setattr(lockstep, "BLOCK", block)
    monkeypatch.setattr(lockstep, "SMALL_BLOCK", small)
    at = data.draw(st.integers(0, len(events) - 1))
    changed = [*events]
    changed[at] = {**events[at], "digest": "ff" * 16}
    extra = [*events, op(9)]

    found = difference(tmp_path_factory.mktemp("run"), events, changed)
    longer = difference(tmp_path_factory.mktemp("run"), events, extra)
    shorter = difference(tmp_path_factory.mktemp("run"), extra, events)

    assert difference(tmp_path_factory.mktemp("run"), events, events) is None
    assert found is not None and longer is not None and shorter is not None
    assert (found.index, found.first, found.second) == (at, events[at], changed[at])
    assert found.differs == ("digest",)
    assert (longer.index, longer.first, longer.second) == (len(events), None, op(9))
    assert (shorter.index, shorter.first, shorter.second) == (len(events), op(9), None)


@given(first=EVENTS, second=EVENTS, block=st.integers(1, 3000), small=st.integers(1, 400))
def test_results_are_compared_as_if_there_were_nothing_else(
    first: list[Event],
    second: list[Event],
    block: int,
    small: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The two lists of results, laid side by side, tell what is to be found."""
    monkeypatch.setattr(lockstep, "BLOCK", block)
    monkeypatch.setattr(lockstep, "SMALL_BLOCK", small)

    found = difference(tmp_path_factory.mktemp("run"), first, second, results=True)

    a, b = ([each for each in events if each["kind"] != "seed"] for events in (first, second))
    pairs = [
        (a[n] if n < len(a) else None, b[n] if n < len(b) else None)
        for n in range(max(len(a), len(b)))
    ]
    names = ("op", "what", "digest")
    expected = next(
        (pair for pair in pairs
         if None in pair or [pair[0].get(n) for n in names] != [pair[1].get(n) for n in names]),  # type: ignore[union-attr]
        None,
    )  # fmt: skip
    assert (found and (found.first, found.second)) == expected
    if found is not None and found.first is not None:
        assert first[found.index] == found.first


def test_what_a_process_keeps_books_of_is_no_difference(tmp_path: Path) -> None:
    """Where its values stand and whether names were sent before depends on who took the task."""
    first = [op(n, kept=[[8 * n, 8]]) for n in range(300)]
    second = [op(n, kept=[[16 * n, 8]]) for n in range(300)]
    second[0]["names"] = ["weight"]

    assert difference(tmp_path, first, second) is None

    second[250]["digest"] = "ff" * 16
    found = difference(tmp_path, first, second)

    assert found is not None
    assert (found.index, found.differs) == (250, ("digest",))


def test_other_names_are_a_difference(tmp_path: Path) -> None:
    """Where both runs send them."""
    found = difference(tmp_path, [step(0, names=["a"])], [step(0, names=["b"])])

    assert found is not None
    assert found.differs == ("names",)


@pytest.mark.parametrize(
    ("changes", "heard"),
    [
        ({"rng": {"torch": "1"}}, False),
        ({"at": "train.py:21"}, False),
        ({"kept": [[0, 1]]}, False),
        ({"digest": "1"}, True),
        ({"loss": "0x1p+0"}, True),
        ({"text": "1"}, True),
        ({"what": "float32[3]"}, True),
    ],
)
def test_a_seed_is_heard_in_results_only(
    tmp_path: Path, changes: dict[str, Any], heard: bool
) -> None:
    """Generators' states differ under two seeds even if nothing draws from them."""
    seed = event("seed", op="random.seed", text="1")

    found = difference(tmp_path, [seed, step(0)], [step(0, **changes)], results=True)

    assert (found is not None) == heard


def draw(digest: str, name: str = "os.urandom", at: str = "train.py:3") -> Event:
    """Return a draw from the system."""
    return event("entropy", op=name, at=at, digest=digest)


def test_what_the_system_gave_counts_if_nothing_else_differs(tmp_path: Path) -> None:
    """The first such draw then; else it is remembered as evidence for what differs."""
    first = [draw("1"), draw("2", at="train.py:4"), draw("3"), step(0)]
    second = [draw("4"), draw("5", at="train.py:4"), draw("6"), step(0)]

    alone = difference(tmp_path / "1", first, second)
    reached = difference(tmp_path / "2", first, [*second[:3], step(0, "ff")])

    assert alone is not None and reached is not None
    assert (alone.index, alone.minor) == (0, True)
    assert (reached.index, reached.minor) == (3, False)
    assert reached.drawn == (draw("1"), draw("2", at="train.py:4"))


def test_keys_of_pythons_own_machinery_are_no_difference(tmp_path: Path) -> None:
    """Each program that starts a pool draws some."""
    pool = "multiprocessing.context.BaseContext.Pool"

    assert difference(tmp_path / "1", [draw("1", pool)], [draw("2", pool)]) is None

    found = difference(tmp_path / "2", [draw("1", pool)], [draw("1", "os.urandom")])
    assert found is not None
    assert found.differs == ("op",)


def test_a_state_counts_when_it_reaches_a_result(tmp_path: Path) -> None:
    """Generators that nobody seeds and nobody draws from are passed over, and remembered."""
    equal = {"kind": "checkpoint", "step": 0, "op": "x", "at": "a.py:1", "digest": "0" * 32}
    last = {**equal, "op": "y", "digest": "1" * 32}
    one = [{**equal, "rng": {"python": "aa"}}, last]
    other = [{**equal, "rng": {"python": "bb"}}, last]
    reached = [other[0], {**last, "digest": "2" * 32}]

    alone = difference(tmp_path / "1", one, other)
    found = difference(tmp_path / "2", one, reached)

    assert alone is not None and (alone.index, alone.minor) == (0, True)
    assert found is not None and (found.index, found.minor) == (1, False)
    assert found.strayed == ("python",)
