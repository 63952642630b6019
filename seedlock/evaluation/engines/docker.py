"""This machine's container engine: one worker per unit, its run in a sealed container."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from seedlock.evaluation import container_engine
from seedlock.evaluation.engines.process import ProcessEngine
from seedlock.evaluation.sealing.docker import PATIENCE, UNIT_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.engines.base import Unit


class DockerEngine(ProcessEngine):
    """Units in containers on this machine.

    Args:
        slots: how many units at a time.
        environ: this process's environment, for the engine's client.

    Raises:
        EngineError: there is no client.
    """

    name = "docker"

    def __init__(self, slots: int, environ: Mapping[str, str]) -> None:
        self._client = container_engine.find_client(environ)
        super().__init__(slots)

    def clear_away(self, units: Path) -> None:
        """Remove containers, and end processes, of runs that were killed with their workers."""
        super().clear_away(units)
        beginning = f"{units}{os.sep}"
        for identity, output in _containers(self._client):
            if output.startswith(beginning):
                _remove(self._client, identity)

    def _after_a_killed_worker(self, unit: Unit) -> None:
        for identity, output in _containers(self._client):
            if output == unit.output:
                _remove(self._client, identity)


def _containers(client: str) -> list[tuple[str, str]]:
    """Return the ids of all containers of units, and the paths of their artifacts."""
    shown = f'{{{{.ID}}}} {{{{.Label "{UNIT_LABEL}"}}}}'
    words = [client, "ps", "--all", "--no-trunc", "--filter", f"label={UNIT_LABEL}"]
    lines = _asked([*words, "--format", shown]).splitlines()
    return [(identity, output) for identity, _, output in (line.partition(" ") for line in lines)]


def _remove(client: str, identity: str) -> None:
    _asked(container_engine.remove(client, identity))


def _asked(words: list[str]) -> str:
    """Return what the engine's client prints; nothing where the engine does not answer, which the
    next unit says."""
    try:
        asked = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    return asked.stdout
