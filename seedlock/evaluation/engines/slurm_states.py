"""What a job's state in Slurm means for its unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.engines.base import EXIT_STATUSES
from seedlock.evaluation.recording.record import INTERRUPTED, LIMIT

if TYPE_CHECKING:
    from seedlock.evaluation.engines.slurm_commands import Row

HANDED_OVER = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED",
                         "RESV_DEL_HOLD", "SPECIAL_EXIT"})  # fmt: skip
ACTIVE = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT",
                    "RESIZING"})  # fmt: skip
OVER_LIMIT = frozenset({"TIMEOUT", "DEADLINE", "OUT_OF_MEMORY"})
CANCELLED = frozenset({"CANCELLED", "PREEMPTED", "REVOKED"})
"""States of a job (squeue(1), "JOB STATE CODES"). All others are ends: COMPLETED, FAILED,
NODE_FAIL, BOOT_FAIL."""


def is_here(row: Row) -> bool:
    """Tell whether Slurm still has something to do for a job."""
    return row.state in HANDED_OVER or row.state in ACTIVE


def is_gone(row: Row | None, started: bool) -> bool:
    """Tell whether the start that Slurm made of a unit will not end it any more.

    Args:
        row: what Slurm says of its job, None where it says nothing.
        started: whether a start has taken the unit. A node may fail before that, and the next
            start is the first one then.
    """
    if row is None:
        return True
    if row.state in HANDED_OVER:
        return row.restarts > 0 and started
    return row.state not in ACTIVE


def told(row: Row | None, start: str) -> tuple[int | None, str]:
    """Return the exit status of a unit that is gone, if it is known, and what became of it.

    Args:
        row: what Slurm says of its job, None where it says nothing.
        start: who took the unit; empty where nobody has.
    """
    if row is None:
        return None, "Slurm does not know its job any more"
    where = start or row.node or "no node"
    if row.state in HANDED_OVER:
        return None, f"Slurm took it off its node and queued it again; {where}"
    said = "" if row.reason in ("", "None") else f", {row.reason}"
    note = f"Slurm says {row.state}{said}; {where}"
    if row.state in OVER_LIMIT:
        return EXIT_STATUSES[LIMIT], note
    return (EXIT_STATUSES[INTERRUPTED] if row.state in CANCELLED else None), note
