"""What somebody who waits for data sees: on a terminal one bar, else nothing but the results."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

EVERY = 0.1
"""Seconds between two pictures."""


class Bar:
    """A block in which a `fetching.Watcher` is told how far it is.

    Args:
        console: where to draw, stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._name = ""
        self._shown = 0.0

    def __enter__(self) -> Bar:
        if self._console.is_terminal:
            from rich import progress

            self._progress = progress.Progress(
                progress.TextColumn("{task.description}", markup=False),
                progress.BarColumn(),
                progress.DownloadColumn(),
                progress.TransferSpeedColumn(),
                progress.TimeRemainingColumn(),
                console=self._console,
                auto_refresh=False,
                transient=True,
            )
            self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def of(self, name: str) -> Bar:
        """Name the set that the next steps are about, and return the bar."""
        self._name = name
        return self

    def begin(self, what: str, whole: int | None) -> None:
        """A step begins."""
        if self._progress is None:
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(f"{self._name}: {what}", total=whole)
        self._progress.refresh()

    def advance(self, count: int) -> None:
        """Bytes came, or went where `count` is negative."""
        if self._progress is None or self._task is None:
            return
        self._progress.advance(self._task, count)
        now = time.monotonic()
        if now - self._shown >= EVERY:
            self._shown = now
            self._progress.refresh()
