"""What an evaluation that was killed has left in the ledger, brought to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.errors import LostLease
from seedlock.evaluation.evaluating import results
from seedlock.evaluation.recording.record import INFRASTRUCTURE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seedlock.evaluation.ledger.leases import Held
    from seedlock.evaluation.ledger.ledger import Ledger

KILLED = "seedlock evaluate was killed, or the machine went down"
LOST = "its results were not all on the disk after the machine went down"


def take_up(ledger: Ledger, worker: str, folder: Path, tell: Callable[[str], None]) -> None:
    """End the attempts that this machine holds and that nobody carries out any more.

    One whose record is complete counts, for it came to its end before its row was written. One
    whose results are not what its record says failed by the machine. Any other goes back to the
    queue, and the ledger says so.

    Args:
        ledger: the round's.
        worker: this machine's name in it. The caller holds the round's lock here, so whoever had
            that name is gone, and all that it started.
        folder: the round's, absolute.
        tell: called with a line for each.
    """
    for held in ledger.held():
        if held.worker == worker:
            try:
                tell(_ended(ledger, held, folder))
            except LostLease as problem:
                tell(str(problem))


def _ended(ledger: Ledger, held: Held, folder: Path) -> str:
    lease = held.lease
    title = f"{lease.name}, seed index {lease.seed_index}: of an evaluation that was killed:"
    found = results.result(folder, lease)
    if found is not None and not results.is_whole(folder, lease):
        state = ledger.finish(lease, INFRASTRUCTURE, reasons=[LOST])
        return f"{title} {LOST} ({state})"
    if found is not None:
        state = ledger.finish(
            lease, found.outcome, found.path, found.sha256, found.reasons, found.usage
        )
        return f"{title} {found.outcome}, by its record ({state})"
    if held.where is None and results.record_of(folder, lease).exists():
        # It was started, and killed before the ledger knew: it must not have this number again.
        ledger.begin(lease, "unknown")
    state = ledger.give_back(lease, KILLED)
    return f"{title} back to the queue ({state})"
