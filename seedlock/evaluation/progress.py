"""What somebody who waits sees: on a terminal one line per run, else a line when a run begins and
when it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seedlock.evaluation.records import steps_so_far
from seedlock.evaluation.runs import RUNNING, WAITING, tail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from seedlock.evaluation.runs import Run

EVERY = 0.5
"""Seconds between two pictures."""

WIDTH = 60
"""Characters of the last line of output that are shown."""


class Picture:
    """A block in which something is drawn over itself, where a terminal shows it.

    Args:
        console: where to write, stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.live import Live

            # Without its own thread: all that is drawn is drawn by who calls.
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._live is not None:
            self._live.stop()


class Progress(Picture):
    """A block in which `show` may be called.

    Args:
        console: where to write, stderr.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._told: dict[str, str] = {}
        self._shown = 0.0

    def show(self, runs: Sequence[Run]) -> None:
        """Show how the runs stand."""
        if self._live is None:
            for run in runs:
                self._tell(run)
            return
        now = time.monotonic()
        if now - self._shown >= EVERY:
            self._shown = now
            self._live.update(_table(runs), refresh=True)

    def _tell(self, run: Run) -> None:
        if run.status == self._told.get(run.name, WAITING):
            return
        self._told[run.name] = run.status
        text = f"{run.name} (seed {run.seed}) {run.status}"
        if run.status != RUNNING:
            text += f" after {run.seconds:.1f} s"
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _table(runs: Sequence[Run]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("run", "seed", "status", "time", "steps", "last line"):
        table.add_column(name, no_wrap=True)
    for run in runs:
        steps = steps_so_far(run.reports) if run.status != WAITING else 0
        last = tail(run.folder / "stdout.txt", 1024).rstrip().rpartition("\n")[2]
        cells = (
            run.name, str(run.seed), run.status, f"{run.elapsed:.0f} s", str(steps or ""),
            last.rpartition("\r")[2][:WIDTH],
        )  # fmt: skip
        # Text, not markup: what a program prints is not to be read as colours.
        table.add_row(*(Text(cell) for cell in cells))
    return table
