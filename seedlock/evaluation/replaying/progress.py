"""What somebody sees who waits for a bundle: how much of it is done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

EVERY = 0.5
"""Seconds between two pictures."""


class Bytes:
    """A block in which `show` may be called; silent where nobody watches.

    Args:
        console: where to write, stderr.
        what: what is done.
    """

    def __init__(self, console: Console, what: str) -> None:
        self._console = console
        self._what = what
        self._live: Live | None = None
        self._shown = time.monotonic()

    def __enter__(self) -> Bytes:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, done: int, whole: int) -> None:
        """Show how many of how many bytes are done."""
        now = time.monotonic()
        if self._live is not None and now - self._shown >= EVERY:
            from rich.text import Text

            self._shown = now
            share = f"{100 * done // max(whole, 1)} %"
            self._live.update(Text(f"{self._what}: {share} of {whole} bytes"), refresh=True)
