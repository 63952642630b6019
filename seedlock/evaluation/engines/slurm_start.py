"""One index of an array as a node of Slurm starts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.evaluation.engines import unit as one_unit
from seedlock.evaluation.engines.base import FAILED_HERE
from seedlock.evaluation.engines.slurm_spool import SECOND, STARTED, Batch
from seedlock.settings import RANKS

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX = "SLURM_ARRAY_TASK_ID"


def carry_out(folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Carry out the unit that this job's index names, unless an earlier start of the job has it.

    Args:
        folder: of the batch, absolute.
        environ: this node's environment, with Slurm's variables.

    Returns:
        the exit status, and a line about what could not be done; may be empty.

    Raises:
        OSError, ValueError: the unit can't be read, or its end not be written.
    """
    batch, index = Batch(folder), int(environ.get(INDEX, ""))
    node = environ.get("SLURMD_NODENAME") or os.uname().nodename
    unit = batch.take(index, f"{node}, process {os.getpid()}")
    if unit is None:
        return _second(batch, index, node)
    status, said = one_unit.carry_out(unit, _of_run(environ))
    try:
        settled = batch.settle(index, status, said, STARTED)
    except FileNotFoundError:
        Path(unit.record).unlink(missing_ok=True)
        return FAILED_HERE, "too late: its evaluation is over"
    if settled.by != STARTED:
        batch.forget(index)
        return FAILED_HERE, f"too late: {settled.note}"
    return status, said


def _of_run(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the node's environment without what makes a process a rank of a job: the run is the
    first of its processes, as on any other engine, and so its seeds are the same."""
    return {
        name: value for name, value in environ.items()
        if name not in RANKS and not name.startswith(("SLURM_", "SLURMD_", "PMI"))
    }  # fmt: skip


def _second(batch: Batch, index: int, node: str) -> tuple[int, str]:
    """Say what the first start left. The run is not begun again under the same attempt's number:
    each attempt is in the ledger."""
    note = f"started again on {node}; its first start, on {batch.started(index)}, did not end"
    settled = batch.settle(index, FAILED_HERE, note, SECOND)
    return (FAILED_HERE if settled.status is None else settled.status), settled.note
