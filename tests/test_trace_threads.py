"""Operations of threads that the traced one waits for: which are noted, where, in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedlock.settings import Settings
from seedlock.trace import Trace
from tests.traces import Event, lines


class Traced:
    """A trace of this process, and threads beside it with ranks of their own."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.here = threading.local()
        self.over = threading.Event()
        given = {"REPRO_SEED": "7", "REPRO_REPORT": str(folder), "REPRO_TRACE": "op", **variables}
        self.gaps: list[str] = []
        self.trace = Trace(Settings(given), self.gaps.append)
        self.trace.begin(str(folder / "run"), "")

    def rank(self) -> int | None:
        """Tell the rank of the thread that asks."""
        rank: int | None = self.here.rank
        return rank

    def run(self, rank: int | None, work: Callable[[], object]) -> None:
        """Let a thread of that rank work, and wait for its work; it ends with the test."""
        done = threading.Event()

        def ranked() -> None:
            self.here.rank = rank
            work()
            done.set()
            self.over.wait()

        threading.Thread(target=ranked, daemon=True).start()
        assert done.wait(60)

    def note(self, *names: str, value: object = 1.5) -> None:
        """Note operations in the thread that calls."""
        for name in names:
            self.trace.result("op", name, value)

    def noted(self) -> list[Event]:
        """End the trace; return its events."""
        self.trace.finish()
        _, *events, self.end = lines(self.folder / "run.trace.jsonl")
        return events

    def names(self) -> list[str]:
        """End the trace; return its events' names."""
        return [each["op"] for each in self.noted()]


@pytest.fixture(name="traced")
def _traced(tmp_path: Path) -> Iterator[Traced]:
    traced = Traced(tmp_path, REPRO_TRACE_STEPS="0:1", REPRO_TRACE_VALUES="1")
    yield traced
    traced.over.set()


class Slow:
    """A value in whose digest something else happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile

    def __reduce_ex__(self, protocol: object) -> tuple[type, tuple[int]]:
        self.meanwhile()
        return (int, (1,))


def test_thread_after_thread_by_rank(traced: Traced) -> None:
    """Whichever came first; the waiting thread's own events come as they happen."""
    with traced.trace.awaiting(traced.rank):
        traced.run(1, lambda: traced.note("late", "later"))
        traced.note("own")
        traced.run(0, lambda: traced.note("early"))
        with traced.trace.awaiting(traced.rank):  # of no account within another one
            traced.run(-1, lambda: traced.note("first"))
        traced.note("own again")

    assert traced.names() == ["own", "own again", "first", "early", "late", "later"]
    assert traced.end == {"kind": "end", "events": 6, "left_out": 0}


def test_outside_of_the_block_they_are_left_out(traced: Traced) -> None:
    """And in it those of threads that nobody waits for, and events of other kinds."""
    block = traced.trace.awaiting(traced.rank)
    traced.run(0, lambda: traced.note("before"))
    with block:
        traced.run(None, lambda: traced.note("a stranger's"))
        traced.run(0, lambda: traced.trace.event("seed", "random.seed", "", "1"))
        traced.run(1, lambda: traced.trace.result("checkpoint", "mine", 1.5))
        traced.run(2, lambda: traced.note("in it"))
    traced.run(0, lambda: traced.note("after"))

    assert traced.names() == ["in it"]
    assert traced.end["left_out"] == 5


def test_two_threads_of_one_rank_are_left_out(traced: Traced) -> None:
    """The order between them is nobody's, though one was through before the other began; that of
    the others stays."""
    with traced.trace.awaiting(traced.rank):
        traced.run(0, lambda: traced.note("which"))
        traced.run(1, lambda: traced.note("other"))
        traced.run(0, lambda: traced.note("which"))

    assert traced.names() == ["other"]
    assert traced.end["left_out"] == 2


def test_no_thread_hides_what_another_does(traced: Traced) -> None:
    """While one digests, be it the waiting one, another's operation is noted; what the digest
    itself does is not."""

    def meanwhile() -> None:
        traced.note("itself")
        traced.run(0, lambda: traced.note("beside"))

    def beside() -> None:
        traced.note("itself")
        traced.run(2, lambda: traced.note("beside it"))

    with traced.trace.awaiting(traced.rank):
        traced.note("own", value=Slow(meanwhile))
        traced.run(1, lambda: traced.note("slow", value=Slow(beside)))
        traced.note("own again")

    assert traced.names() == ["own", "own again", "beside", "slow", "beside it"]
    assert traced.end["left_out"] == 0


def test_an_error_loses_nothing(traced: Traced) -> None:
    """What was taken in is written, and what comes after the block is left out."""
    with pytest.raises(ValueError), traced.trace.awaiting(traced.rank):
        traced.run(0, lambda: traced.note("before"))
        raise ValueError
    traced.run(0, lambda: traced.note("too late"))
    traced.note("after")

    assert traced.names() == ["before", "after"]
    assert traced.end["left_out"] == 1


def test_lines_are_the_authors(traced: Traced) -> None:
    """This file's in both threads here; the step is the one in which the waiting began."""
    with traced.trace.awaiting(traced.rank):
        traced.trace.finished_step("SGD.step", [1.0])
        traced.run(0, lambda: traced.note("in it"))

    step, found = traced.noted()
    assert (step["step"], found["step"]) == (0, 0)
    assert found["at"].partition(":")[0].endswith("test_trace_threads.py")
    assert set(found) == {"kind", "step", "op", "at", "digest", "text"}


def test_kept_values_do_not_depend_on_scheduling(traced: Traced) -> None:
    """Bytes of the moment, in the order of the events, as many as there is room for."""
    size = 1 << 18  # of 1 MiB
    changing: Any = np.zeros(size, "u1")

    def work(rank: int) -> None:
        for _ in range(3):
            changing[:] += 1
            traced.note(f"{rank}", value=changing)

    with traced.trace.awaiting(traced.rank):
        traced.run(1, lambda: work(1))
        traced.note("own", value=np.full(size, 100, "u1"))
        traced.run(0, lambda: work(0))
    found = traced.noted()
    values = (traced.folder / "run.values").read_bytes()
    firsts = [values[each["kept"][0][0]] if "kept" in each else None for each in found]

    assert [each["op"] for each in found] == ["own", "0", "0", "0", "1", "1", "1"]
    assert firsts == [100, 4, 5, 6, None, None, None]
    assert len(values) == 4 * size
    assert len({each["digest"] for each in found}) == 7
