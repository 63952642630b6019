"""What a run took: time, memory, energy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.record import moment

if TYPE_CHECKING:
    from seedlock.evaluation.recording.gpu_energy import Meter
    from seedlock.evaluation.runs import Run


def usage(run: Run, began: float, reports: list[dict[str, Any]], energy: Meter) -> dict[str, Any]:
    """Return what a run that has ended took, for its record.

    Processor time and memory are the kernel's count for the first process and all that it waited
    for; of a container or a sandbox, the sum, and the largest, of what its Python processes
    reported at their end.
    """
    taken: dict[str, Any] = {
        "started": moment(began),
        "finished": moment(time.time()),
        "wall_s": round(run.seconds, 3),
    }
    if run.mounts is None and run.sealed is None and run.usage is not None:
        taken["by"] = "wait4"
        taken["user_s"] = round(run.usage.ru_utime, 3)
        taken["system_s"] = round(run.usage.ru_stime, 3)
        taken["peak_memory_bytes"] = run.usage.ru_maxrss * 1024
    else:
        each = [report["usage"] for report in reports if report.get("usage")]
        taken["by"] = "reports"
        taken["user_s"] = round(sum(of["user_s"] for of in each), 3)
        taken["system_s"] = round(sum(of["system_s"] for of in each), 3)
        taken["peak_memory_bytes"] = max((of["peak_memory_bytes"] for of in each), default=None)
    return {**taken, **energy.taken()}
