"""What a run took: time, memory, energy, GPU time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.record import moment

if TYPE_CHECKING:
    from seedlock.evaluation.runs import Run
    from seedlock.evaluation.sealing.control_groups import Taken

KERNEL, REPORTS, GROUP = "wait4", "reports", "control group"
"""Where the figures are from."""

NEAR = 4 << 20
"""Bytes by which two of the kernel's counts of the same memory may differ: it counts in batches,
for each processor (mm/memory.c, get_mm_counter)."""


def usage(
    run: Run, began: float, reports: list[dict[str, Any]], gpus: dict[str, Any], held: int | None
) -> dict[str, Any]:
    """Return what a run that has ended took, for its record.

    Processor time and memory are the kernel's count for the first process and all that it waited
    for; of a container the kernel's count for its control group, as it stood at the last look
    before its end; else the sum, and the largest, of what Python processes reported at their end.
    The first process's memory counts from what this one `held` when it started the run (machine.py
    says why): a count that is no larger says nothing of the run, and the reports' is taken.
    `by` and `memory_by` say which. `process_peak_bytes` is always of the largest process alone.
    `gpus` is what `gpu_meter.Meter` took.
    """
    taken: dict[str, Any] = {
        "started": moment(began),
        "finished": moment(time.time()),
        "wall_s": round(run.seconds, 3),
    }
    each = [report["usage"] for report in reports if report.get("usage")]
    peak = max((of["peak_memory_bytes"] for of in each), default=None)
    if run.mounts is None and run.sealed is None and run.usage is not None:
        taken["by"] = taken["memory_by"] = KERNEL
        taken["user_s"] = round(run.usage.ru_utime, 3)
        taken["system_s"] = round(run.usage.ru_stime, 3)
        counted = run.usage.ru_maxrss * 1024
        if peak is not None and counted <= (held or 0) + NEAR:
            taken["memory_by"], counted = REPORTS, peak
        taken["peak_memory_bytes"] = taken["process_peak_bytes"] = counted
    else:
        taken["by"] = taken["memory_by"] = REPORTS
        taken["user_s"] = round(sum(of["user_s"] for of in each), 3)
        taken["system_s"] = round(sum(of["system_s"] for of in each), 3)
        taken["peak_memory_bytes"] = taken["process_peak_bytes"] = peak
        group = None if run.sealed is None else run.sealed.taken()
        if group is not None:
            _count(taken, group)
    return {**taken, **gpus}


def _count(taken: dict[str, Any], counted: Taken) -> None:
    """Take the control group's count where it knows more: what happens between the last look and
    the end it can't have."""
    if counted.user + counted.system > taken["user_s"] + taken["system_s"]:
        taken["by"] = GROUP
        taken["user_s"], taken["system_s"] = round(counted.user, 3), round(counted.system, 3)
    if counted.peak > (taken["peak_memory_bytes"] or 0):
        taken["memory_by"], taken["peak_memory_bytes"] = GROUP, counted.peak
