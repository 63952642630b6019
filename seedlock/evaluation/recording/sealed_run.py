"""A run that is recorded and sealed: what it is given, and where it finds it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock import settings
from seedlock.evaluation.container_engine import Mount
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.runs import DATA_VARIABLE, OUTPUT, OUTPUT_VARIABLE, Run
from seedlock.evaluation.sealing import sealed
from seedlock.evaluation.sealing.seal import owner, seal
from seedlock.settings import TRACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.data.providing import Provided
    from seedlock.evaluation.recording.recorded_run import Request


def sealed_run(
    request: Request,
    name: str,
    environ: Mapping[str, str],
    data: Provided | None,
    source: Path | None,
) -> Run:
    """Return a sealed run of the request's command, not started, with its folders made.

    Args:
        request: what was asked for, with limits.
        name: the run's.
        environ: what `plan.environment` returned, and more.
        data: what it is given.
        source: folder with the files of the source's digest alone, or None.

    Raises:
        NotSealed: a promise can't be kept that the request does not accept; nothing was started.
    """
    assert request.limits is not None
    plan = request.plan
    folder = plan.folder / WORKPLACE
    places = {folder / OUTPUT: sealed.OUTPUT, folder / "reports": sealed.REPORTS}
    user = owner(plan.container)
    for path in places:
        path.mkdir(parents=True)
        if user != os.getuid():
            os.chown(path, user, -1)
    variables = {
        **environ,
        settings.REPORT: sealed.REPORTS,
        OUTPUT_VARIABLE: sealed.OUTPUT,
        **({} if plan.trace == "off" else {TRACE: plan.trace}),
        **({} if data is None else {DATA_VARIABLE: sealed.DATA}),
    }
    order = sealed.Order(
        [word.replace("{output}", sealed.OUTPUT) for word in plan.argv],
        variables,
        places,
        _readable(request, data, source),
        request.limits,
        folder,
        f"seedlock-{name}-{os.urandom(4).hex()}",
        request.cpus,
        request.gpus,
        request.labels,
    )
    found = seal(order, os.environ, plan.container, request.accept)
    run = Run(
        name, request.seed, folder, found.argv, found.environ, found.seconds, found.container,
        plan.folder / name, request.captured, found,
    )  # fmt: skip
    run.mounts = None if plan.container is None else plan.mounts
    return run


def _readable(request: Request, data: Provided | None, source: Path | None) -> list[Mount]:
    readable = [*request.plan.mounts]
    if source is not None and not any(each.there == sealed.SOURCE for each in readable):
        readable.append(Mount(Path(os.path.realpath(source)), sealed.SOURCE))
    if data is not None:
        readable += [each for each in data.mounts() if each not in readable]
    return readable
