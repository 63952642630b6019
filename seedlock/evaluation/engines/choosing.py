"""Which engine carries units out, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.engines.docker import DockerEngine
from seedlock.evaluation.engines.process import ProcessEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.engines.base import Engine


def engine(name: str, slots: int, environ: Mapping[str, str]) -> Engine:
    """Return an engine, which has to be closed.

    Args:
        name: one of the names of engines.
        slots: how many units at a time.
        environ: this process's environment.

    Raises:
        EngineError: what it needs is not here.
    """
    if name == DockerEngine.name:
        return DockerEngine(slots, environ)
    return ProcessEngine(slots)
