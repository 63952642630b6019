"""Whether `ROUND/ledger.jsonl` holds all that the ledger beside it does."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def is_behind(folder: Path, events: int, head: str) -> bool:
    """Return whether a round's own ledger ends elsewhere than what was exported of it; false where
    it is not in the round's folder, or SQLAlchemy, which reads it, not on this machine.

    Args:
        folder: the round's.
        events: how many were exported.
        head: hash of the last one.
    """
    if find_spec("sqlalchemy") is None:
        return False
    from seedlock.evaluation.ledger.database import FILE
    from seedlock.evaluation.ledger.ledger import Ledger

    if not (folder / FILE).exists():
        return False
    with Ledger.open(folder, create=False) as ledger:
        return ledger.head() != (events, head)
