"""What `seedlock verify` was asked for, and the environment of its runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedlock import settings
from seedlock.environment import settled
from seedlock.evaluation.runs import OUTPUT_VARIABLE
from seedlock.settings import TRACE, TRACE_STEPS, TRACE_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.engine import Image, Mount

OWN = (settings.SEED, settings.REPORT, TRACE, TRACE_STEPS, TRACE_VALUES, OUTPUT_VARIABLE)
"""Variables that verify sets for each run, whatever its own environment says."""


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
