"""Which files a run read that are neither image, nor code, nor declared data."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.sealing import sealed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedlock.evaluation.data.providing import Provided
    from seedlock.evaluation.recording.recorded_run import Request
    from seedlock.evaluation.runs import Run

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/var/lib", "/var/cache")
"""What belongs to the machine's system or to an image."""

BY = "Python's audit event open; what a library opens in C is not seen"


def strangers(
    reports: list[dict[str, Any]], request: Request, run: Run, data: Provided | None
) -> dict[str, Any]:
    """Return the files that were read outside the system, the source and what was mounted.

    Args:
        reports: those of the run's processes.
        request: what was asked for.
        run: the run, which has ended.
        data: what it was given.

    Returns:
        `files`, absolute paths as the run saw them; `more`, how many beyond those that a process
        lists; `complete`, whether nothing can have been missed; `by`, how it is known.
    """
    plan = request.plan
    known = [*SYSTEM, sys.prefix, sys.base_prefix, str(run.worked_in), str(run.folder)]
    known += [str(request.source)] if request.source is not None else []
    known += [mount.there for mount in plan.mounts]
    known += (
        [] if run.sealed is None else [sealed.SOURCE, sealed.OUTPUT, sealed.REPORTS, sealed.DATA]
    )
    known += [str(each) for each in data.places.values()] if data is not None else []
    found: set[str] = set()
    more = 0
    for report in reports:
        listed = report.get("reads") or {"files": [], "more": 0}
        more += listed["more"]
        found.update(name for name in listed["files"] if not _below(name, known))
    if run.sealed is not None and run.sealed.guarantees()["reads"].held:
        return {"files": sorted(found), "more": more, "complete": True, "by": "the seal"}
    if plan.container is None:
        return {"files": sorted(found), "more": more, "complete": False, "by": BY}
    # A container sees what the image holds and what is mounted, and both are in the record.
    return {"files": [], "more": 0, "complete": True, "by": "mounts of the container"}


def _below(name: str, folders: Iterable[str]) -> bool:
    real = os.path.realpath(name)
    return any(
        each.startswith(f"{folder.rstrip(os.sep)}{os.sep}") or each == folder
        for folder in folders
        for each in (name, real)
    )
