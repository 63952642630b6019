"""What a verification of a round's files comes to, worked out once for each of their versions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import verification
from seedlock.leaderboard import ceremony_view
from seedlock.leaderboard.pages.opened import contradictory

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime
    from pathlib import Path

MOST = 64
"""Results that are kept."""

_kept: OrderedDict[tuple[Path, Hashable], ceremony_view.Checked] = OrderedDict()
_alone = threading.Lock()


def checked(folder: Path, version: Hashable, at: datetime) -> ceremony_view.Checked:
    """Return what was found in a round's files.

    One verification at a time: each reads every record of its round.

    Args:
        folder: the round's.
        version: of its files.
        at: now.

    Raises:
        Problem: 503, the files can't be read.
    """
    with _alone:
        found = _kept.get((folder, version))
        if found is None:
            try:
                found = ceremony_view.checked(
                    verification.verify(folder, at, verification.Seen())
                )  # fmt: skip
            except BadRound as problem:
                raise contradictory() from problem
            _kept[folder, version] = found
            while len(_kept) > MOST:
                _kept.popitem(last=False)
        return found
