"""What an organiser sees who waits: lines as runs begin and end; on a terminal, below them, how the
round stands and when it may be over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seedlock.evaluation.progress import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from seedlock.evaluation.evaluating.evaluation import Underway
    from seedlock.evaluation.ledger.status import Status

ON_TERMINAL, ELSEWHERE = 0.5, 60.0
"""Seconds between two pictures, and between two lines about the whole."""


class Progress(Picture):
    """A block in which `tell` and `show` may be called.

    Args:
        console: where to write, stderr.
        ask: returns how the round stands.
    """

    def __init__(self, console: Console, ask: Callable[[], Status]) -> None:
        super().__init__(console)
        self._ask = ask
        self._shown = time.monotonic()

    def tell(self, line: str) -> None:
        """Say that something began or ended."""
        lines(self._console)(line)

    def show(self, underway: Sequence[Underway]) -> None:
        """Show how the round stands, unless that was just done."""
        now = time.monotonic()
        if now - self._shown < (ELSEWHERE if self._live is None else ON_TERMINAL):
            return
        self._shown = now
        whole = summary(self._ask())
        if self._live is None:
            self.tell(whole)
            return
        from rich.text import Text

        lines = [f"  {each.unit.title} for {now - each.began:.0f} s" for each in underway]
        # Text, not markup: a submission's name is not to be read as colours.
        self._live.update(Text("\n".join([*lines, whole])), refresh=True)


def lines(console: Console) -> Callable[[str], None]:
    """Return what prints a line with the time of day."""

    def tell(line: str) -> None:
        stamp = time.strftime("%H:%M:%S")
        console.print(f"{stamp} {line}", markup=False, highlight=False, soft_wrap=True)

    return tell


def summary(status: Status) -> str:
    """Return how a round stands, in one line."""
    counts = status.counts
    ended = status.seeds - counts["queued"] - counts["leased"] - counts["running"]
    parts = [f"{name} {number}" for name, number in counts.items() if number]
    left = status.seconds_left
    end = ""
    if left is not None:
        clock = time.strftime("%a %H:%M", time.localtime(time.time() + left))
        end = f"; about {_duration(left)} left, until {clock}"
    return f"{ended} of {status.seeds} runs ended: {', '.join(parts)}{end}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
