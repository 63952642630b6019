"""Which files a run read that are neither image, nor code, nor declared data."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.sealing import sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seedlock.evaluation.data.providing import Provided
    from seedlock.evaluation.recording.recorded_run import Request
    from seedlock.evaluation.recording.source import Source
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


def read_though_ignored(
    reports: list[dict[str, Any]], request: Request, before: Source
) -> list[str]:
    """Return the names of files in the source's folder that a run read and no digest covers.

    Left out: compiled copies of Python files that the digest covers, and what seedlock or the run
    itself wrote there. A sealed run has no such files; it sees those of the digest only.
    """
    plan = request.plan
    folder = os.path.realpath(before.folder)
    own = [os.path.realpath(each) for each in (plan.folder, request.record, *request.without)]
    places = {mount.there: str(mount.here) for mount in plan.mounts}
    found = set()
    for report in reports:
        for name in (report.get("reads") or {"files": []})["files"]:
            real = os.path.realpath(_here(name, places))
            inside = os.path.relpath(real, folder)
            if inside.startswith(os.pardir) or _below(real, own) or inside in before.files:
                continue
            if not _compiled(inside, before) and os.path.isfile(real):
                found.add(inside)
    return sorted(found)


def _here(name: str, places: Mapping[str, str]) -> str:
    for there, here in places.items():
        if name == there or name.startswith(f"{there}/"):
            return here + name[len(there) :]
    return name


def _compiled(name: str, of: Source) -> bool:
    folder, cache, file = name.rpartition("__pycache__/")
    return bool(cache) and f"{folder}{file.partition('.')[0]}.py" in of.files


def _below(name: str, folders: Iterable[str]) -> bool:
    real = os.path.realpath(name)
    return any(
        each.startswith(f"{folder.rstrip(os.sep)}{os.sep}") or each == folder
        for folder in folders
        for each in (name, real)
    )
