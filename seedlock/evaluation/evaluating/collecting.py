"""Results that a cluster left in the shared volume, into the round's folder and its ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.evaluation.engines import kubernetes_volume
from seedlock.evaluation.evaluating import results
from seedlock.evaluation.recording.record import AUTHOR, INFRASTRUCTURE, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.ledger.leases import Lease
    from seedlock.evaluation.ledger.ledger import Ledger

WORKER = "kubernetes"

LEASE = 600.0
"""Seconds that collecting may take for what was leased at a time."""

AT_A_TIME = 1000

NO_RECORD = "its pod left no complete record"
NOT_YET = "it has no result yet"


@dataclass
class Collected:
    """What came of it.

    Attributes:
        ended: attempts that got their end.
        waiting: runs without a result, which are queued as before.
    """

    ended: int = 0
    waiting: int = 0


def collect(
    ledger: Ledger, folder: Path, volume: Path, over: bool, refused: Mapping[str, str]
) -> Collected:
    """Take all results that are there.

    Args:
        ledger: the round's.
        folder: the round's, absolute.
        volume: where the shared one is mounted here.
        over: whether no Job goes on: a last try without a complete record failed by the machine.
        refused: why none of a submission's runs was started, by its digest: they count as failed.

    Raises:
        OSError: a file can't be read or written.
        LostLease: collecting took longer than `LEASE`.
    """
    found = Collected()
    without: list[Lease] = []
    while leases := ledger.lease(WORKER, LEASE, limit=AT_A_TIME):
        for lease in leases:
            if lease.submission in refused:
                ledger.finish(lease, AUTHOR, reasons=[refused[lease.submission]])
                found.ended += 1
            elif _ended(ledger, lease, folder, volume, over):
                found.ended += 1
            else:
                without.append(lease)
    for lease in without:
        ledger.give_back(lease, NOT_YET)
    found.waiting = len(without)
    return found


def _ended(ledger: Ledger, lease: Lease, folder: Path, volume: Path, over: bool) -> bool:
    tries = kubernetes_volume.tries_of(volume, lease.name, lease.seed_index)
    failed = lease.attempt - 1
    if failed not in tries and not over:
        return False
    tried = f"{lease.seed_index}-{failed}"
    there = failed in tries and kubernetes_volume.take(
        volume, lease.name, tried, results.place(folder, lease), results.record_of(folder, lease)
    )
    result = results.result(folder, lease) if there else None
    # An interrupted try is made again under its number (kubernetes.ANNOTATIONS).
    final = result is not None and result.outcome != INTERRUPTED
    if result is not None and final and results.is_whole(folder, lease):
        ledger.begin(lease, f"kubernetes {tried}")
        ledger.finish(
            lease, result.outcome, result.path, result.sha256, result.reasons, result.usage
        )
        return True
    if not over and not any(later > failed for later in tries):
        return False  # it goes on, or its Job does
    ledger.begin(lease, f"kubernetes {tried}")
    ledger.finish(lease, INFRASTRUCTURE, reasons=[NO_RECORD])
    return True
