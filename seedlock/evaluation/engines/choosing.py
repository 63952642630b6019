"""Which engine carries units out, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.engines.docker import DockerEngine
from seedlock.evaluation.engines.process import ProcessEngine
from seedlock.evaluation.engines.slurm import SlurmEngine

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.engines.base import Engine
    from seedlock.evaluation.engines.slurm_commands import Site


def engine(
    name: str, slots: int, environ: Mapping[str, str], units: Path, site: Site | None = None
) -> Engine:
    """Return an engine, which has to be closed.

    Args:
        name: one of the names of engines.
        slots: how many units at a time.
        environ: this process's environment.
        units: absolute path of the folder below which all outputs of the round lie.
        site: what a cluster's site wants.

    Raises:
        EngineError: what it needs is not here.
    """
    if name == DockerEngine.name:
        return DockerEngine(slots, environ)
    if name == SlurmEngine.name:
        return SlurmEngine(slots, environ, units, site)
    return ProcessEngine(slots)
