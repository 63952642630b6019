"""What somebody sees who waits for `seedlock check`: on a terminal the step, its time and the last
line that the program printed; elsewhere a line when a step begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seedlock.evaluation.runs import tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from seedlock.evaluation.runs import Run

WIDTH = 60
"""Characters of the last line that are shown."""

PER_SECOND = 2


class Steps:
    """A block in which steps begin.

    Args:
        console: where to write, stderr.
        count: how many steps there will be, if none fails.
    """

    def __init__(self, console: Console, count: int) -> None:
        self._console = console
        self._count = count
        self._done: list[tuple[str, float]] = []
        self._step = ""
        self._began = self._since = time.monotonic()
        self._runs: Sequence[Run] = ()
        self._live: Live | None = None

    def __enter__(self) -> Steps:
        if self._console.is_terminal:
            from rich.live import Live

            # With its own thread: nobody calls while an image is built.
            self._live = Live(
                console=self._console, get_renderable=self._table, refresh_per_second=PER_SECOND,
                transient=True,
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, step: str) -> None:
        """Note that a step begins, and that the one before it has ended."""
        now = time.monotonic()
        if self._step:
            self._done.append((self._step, now - self._since))
        self._step, self._since, self._runs = step, now, ()
        if self._live is None:
            self._console.print(
                f"seedlock check: {len(self._done) + 1} of {self._count}: {step}",
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip

    def show(self, runs: Sequence[Run]) -> None:
        """Note which run is under way."""
        self._runs = runs

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        table = Table(box=None, pad_edge=False, show_header=False)
        for number, (step, took) in enumerate(self._done, 1):
            table.add_row("done", f"{number} of {self._count}", Text(step), f"{took:.0f} s")
        if self._step:
            number = len(self._done) + 1
            table.add_row(
                "now", f"{number} of {self._count}", Text(self._step), f"{now - self._since:.0f} s"
            )
        table.add_row("", "", Text(self._last_line()), f"{now - self._began:.0f} s in all")
        return table

    def _last_line(self) -> str:
        if not self._runs:
            return ""
        last = tail(self._runs[0].folder / "stdout.txt", 1024).rstrip().rpartition("\n")[2]
        return last.rpartition("\r")[2][:WIDTH]
