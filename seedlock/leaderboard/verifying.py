"""A round's verification, asked for by anybody on a page or by the interface: worked out once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from seedlock.evaluation.rounds.canonical import from_seconds
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.verification import Seen, verify

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from seedlock.evaluation.rounds.claims import Finding

MOST = 64
"""Results that are kept."""


class Busy(Exception):
    """Another verification is under way; it may be of the same round."""


class Verifier:
    """Verifies rounds, one at a time: a large one takes a processor for minutes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, list[Finding]] = OrderedDict()
        self._one = threading.Lock()

    def findings(
        self, folder: Path, revision: int, now: int, seen: Seen | None = None
    ) -> list[Finding]:
        """Return what was found about a round.

        Args:
            folder: its published files.
            revision: of the round, with which they change.
            now: milliseconds since 1970.
            seen: what who asks noted in time; then nothing is kept.

        Raises:
            Busy: another one is under way.
            BadRound: there is no opening, or it can't be read.
        """
        at = from_seconds(now // 1000)
        late = at > Round(folder).policy.reveal_by
        # A file that was replaced behind the server's back changes the folder, and no revision.
        key = (folder, revision, folder.stat().st_mtime_ns, late)
        if seen is None and key in self._kept:
            return self._kept[key]
        if not self._one.acquire(blocking=False):
            raise Busy
        try:
            found = verify(folder, at, seen or Seen())
        finally:
            self._one.release()
        if seen is None:
            self._kept[key] = found
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found
