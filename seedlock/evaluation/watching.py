"""Several runs, some at a time, until all have ended, one went wrong or somebody interrupts."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from seedlock.evaluation import process_groups
from seedlock.evaluation.runs import ENDED, FAILED, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from seedlock.evaluation.runs import Run

INTERVAL = 0.05
"""Seconds between two looks."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """A block in which Ctrl-C, TERM and HUP are counted and raise nothing.

    Attributes:
        count: how many came. The second means: at once.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Interruption:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *problem: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1


def watch(
    runs: Sequence[Run],
    jobs: int,
    interruption: Interruption,
    show: Callable[[Sequence[Run]], None],
    before: Callable[[Run], None],
    after: Callable[[Run], bool],
) -> None:
    """Run the runs, at most `jobs` at a time, in their order.

    Args:
        runs: what to run.
        jobs: how many at a time.
        interruption: the block that this is called in; ends all runs when something came.
        show: called with all runs at each look.
        before: called before each start.
        after: called when a run has ended; returns whether to go on. If not, no further one is
            started and those under way are ended.
    """
    strangers = process_groups.children()
    process_groups.adopt_orphans()
    waiting = list(runs)
    active: list[Run] = []
    asked = 0
    while waiting or active:
        while waiting and len(active) < jobs and not interruption.count:
            run = waiting.pop(0)
            before(run)
            if _started(run):
                active.append(run)
            elif not after(run):
                waiting.clear()
        show(runs)
        if interruption.count > asked:
            asked = interruption.count
            waiting.clear()
            for run in active:
                run.end(INTERRUPTED, at_once=asked > 1)
        for run in list(active):
            if run.poll({other.pid for other in active if other is not run}, strangers):
                active.remove(run)
                if not after(run):
                    waiting.clear()
                    for other in active:
                        other.end(ENDED)
        if active:
            going = [run.pid for run in active if run.is_going]
            process_groups.wait_for_one(going, INTERVAL)
    show(runs)


def _started(run: Run) -> bool:
    try:
        run.start()
    except OSError as problem:
        (run.folder / "stderr.txt").write_text(f"{problem}\n")
        run.status = FAILED
        return False
    return True
