"""What was asked for, the environment of its runs, and the runs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedlock import settings
from seedlock.environment import settled
from seedlock.evaluation import container_engine
from seedlock.evaluation.runs import OUTPUT, OUTPUT_VARIABLE, Run
from seedlock.settings import TRACE, TRACE_STEPS, TRACE_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.container_engine import Image, Mount

OWN = (
    settings.SEED, settings.REPORT, settings.READS, settings.DATA_CACHE,
    settings.PASSPHRASE_FILE, settings.BOARD, settings.BOARD_TOKEN_FILE, TRACE, TRACE_STEPS,
    TRACE_VALUES, OUTPUT_VARIABLE,
)  # fmt: skip
"""Variables that are set for each run, whatever this process's environment says."""

WORKPLACE = "run"
"""Name of each run's folder while it runs, if no other runs beside it."""


@dataclass
class Plan:
    """What was asked for.

    Attributes:
        argv: the command; `{output}` in it becomes the run's output folder.
        folder: absolute path of the folder for all runs, there and empty.
        seeds: root seeds A and B.
        replicates: runs under A, 2 or more.
        jobs: runs at a time.
        timeout: seconds that a run may take, or None.
        container: image to run the command in, or None.
        mounts: what containers see of this machine.
        network: whether containers have one.
        declare: patterns of files that the command writes in its working folder.
        level: REPRO_LEVEL, or None for what the environment says.
        trace: `step`, `op` or `off`.
        bisect: whether to look for the operation where traces part.
        stdout: whether what is printed counts as a result.
        trace_steps: REPRO_TRACE_STEPS, and no values are kept; empty for all steps.
    """

    argv: list[str]
    folder: Path
    seeds: tuple[int, int] = (7, 8)
    replicates: int = 2
    jobs: int = 1
    timeout: float | None = None
    container: Image | None = None
    mounts: list[Mount] = field(default_factory=list)
    network: bool = False
    declare: list[str] = field(default_factory=list)
    level: str | None = None
    trace: str = "step"
    bisect: bool = True
    stdout: bool = False
    trace_steps: str = ""


def environment(plan: Plan, environ: Mapping[str, str], seed: int) -> dict[str, str]:
    """Return the environment of a run under `seed`, without what is each run's own."""
    kept = {
        name: value for name, value in environ.items()
        if name not in OWN and not name.startswith("_SEEDLOCK")
    }  # fmt: skip
    kept[settings.SEED] = str(seed)
    if plan.level is not None:
        kept[settings.LEVEL] = plan.level
    complete = settled(kept)
    if plan.container is None:
        return complete
    # The image has a lock file of its own, and sets what must stand before Python.
    return {
        name: value for name, value in complete.items()
        if name.startswith("REPRO_") and name != settings.LOCK_FILE
    }  # fmt: skip


def words(plan: Plan) -> list[str]:
    """Return the command line that does the same again."""
    found = ["seedlock", "verify", "--seeds", *map(str, plan.seeds)]
    found += ["--replicates", str(plan.replicates), "--trace", plan.trace]
    found += ["--level", plan.level] if plan.level else []
    found += ["--container", plan.container.name] if plan.container else []
    for each in plan.mounts:
        found += ["--mount", f"{each.here}:{each.there}"]
    found += ["--network"] if plan.network else []
    found += ["--timeout", f"{plan.timeout:g}"] if plan.timeout else []
    found += ["--jobs", str(plan.jobs)] if plan.jobs > 1 else []
    found += [] if plan.bisect else ["--no-bisect"]
    found += ["--stdout"] if plan.stdout else []
    for pattern in plan.declare:
        found += ["--declare", pattern]
    return [*found, "--", *plan.argv]


def run_of(
    plan: Plan,
    name: str,
    seed: int,
    environ: Mapping[str, str],
    more: Mapping[str, str],
    captured: bool = True,
) -> Run:
    """Return a run of the plan's command, not started.

    Args:
        plan: what was asked for.
        name: `A-1`; its folder's name below the plan's.
        seed: root seed.
        environ: what `environment` returned for it.
        more: variables besides.
        captured: whether what it prints goes into files.
    """
    folder = plan.folder / (name if plan.jobs > 1 else WORKPLACE)
    inside = plan.container is not None
    output = container_engine.OUTPUT if inside else str(folder / OUTPUT)
    variables = {
        **environ,
        settings.REPORT: container_engine.REPORTS if inside else str(folder / "reports"),
        OUTPUT_VARIABLE: output,
        **({} if plan.trace == "off" else {TRACE: plan.trace}),
        **({TRACE_STEPS: plan.trace_steps, TRACE_VALUES: "0"} if plan.trace_steps else {}),
        **more,
    }
    argv = [word.replace("{output}", output) for word in plan.argv]
    container = None
    if plan.container is not None:
        # Whatever the folder is called, and unlike those of a verify in another container.
        container = (plan.container.client, f"seedlock-{name}-{os.urandom(4).hex()}")
        folders = {
            folder / OUTPUT: container_engine.OUTPUT,
            folder / "reports": container_engine.REPORTS,
        }
        argv = container_engine.start(
            plan.container, container[1], variables, folders, argv, plan.mounts, plan.network
        )
        variables = dict(os.environ)
    home = plan.folder / name
    run = Run(name, seed, folder, argv, variables, plan.timeout, container, home, captured)
    run.mounts = None if plan.container is None else plan.mounts
    return run


def make_folders(plan: Plan, run: Run) -> None:
    """Make the folders that a run writes into, its container's user's own."""
    for folder in (run.reports, run.folder / OUTPUT):
        folder.mkdir(parents=True)
        if plan.container is not None and plan.container.owner != os.getuid():
            os.chown(folder, plan.container.owner, -1)
