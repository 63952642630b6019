"""The declared data of a run that is recorded: given to it, verified before and after."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.data import caching, providing
from seedlock.evaluation.runs import DATA_VARIABLE

if TYPE_CHECKING:
    from seedlock.evaluation.data.providing import Provided
    from seedlock.evaluation.recording.recorded_run import Request

FOLDER = "data"
"""Folder of the links to the sets, beside the run's own, where it runs on this machine."""


def provided(request: Request) -> Provided | None:
    """Verify what the run's lock file declares, or what it is given, and make it ready; None
    without either.

    A container's mounts are added to the request's plan.

    Raises:
        BadDataLock, DataMismatch: nothing was made.
        OSError: the folder can't be made.
    """
    if request.data is None and not request.sets:
        return None
    plan = request.plan
    inside = plan.container is not None or request.limits is not None
    folder = None if inside else plan.folder / FOLDER
    if request.data is not None:
        found = providing.provide(request.data, folder, caching.default(os.environ))
    else:
        found = providing.give(request.sets, request.places, folder)
    if plan.container is not None:
        plan.mounts = [*plan.mounts, *found.mounts()]
    return found


def data_variable(data: Provided | None) -> dict[str, str]:
    """Return the variable that tells a run where its data is."""
    if data is None:
        return {}
    return {DATA_VARIABLE: providing.IN_CONTAINER if data.folder is None else str(data.folder)}


def held(data: Provided | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Verify the data again after the run.

    Returns:
        each set for the record, and why sets are not what they were.
    """
    if data is None:
        return [], []
    after = providing.verify_again(data)
    sets = [
        {
            "name": one["name"],
            "sha256": f"sha256:{one['sha256'].removeprefix('sha256:')}",
            "size": one["size"],
            "kind": one["kind"],
            "licence": one["licence"],
            "verified_before": one["verified"],
            "verified_after": other["verified"],
        }
        for one, other in zip(data.before, after, strict=True)
    ]
    return sets, [str(state["problem"]) for state in after if state["problem"]]
