"""What somebody sees who waits for a bundle: how much of it is done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seedlock.evaluation.progress import Picture

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 0.5
"""Seconds between two pictures."""


class Bytes(Picture):
    """A block in which `show` may be called; silent where nobody watches.

    Args:
        console: where to write, stderr.
        what: what is done.
    """

    def __init__(self, console: Console, what: str) -> None:
        super().__init__(console)
        self._what = what
        self._shown = time.monotonic()

    def show(self, done: int, whole: int) -> None:
        """Show how many of how many bytes are done."""
        now = time.monotonic()
        if self._live is not None and now - self._shown >= EVERY:
            from rich.text import Text

            self._shown = now
            share = f"{100 * done // max(whole, 1)} %"
            self._live.update(Text(f"{self._what}: {share} of {whole} bytes"), refresh=True)
