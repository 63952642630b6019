"""The machine that a run ran on, from its processes' reports and this process's view."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedlock.evaluation.container_engine import Image


def host(reports: list[dict[str, Any]], image: Image | None) -> dict[str, Any]:
    """Return the facts of the machine, JSON-ready.

    Args:
        reports: those of the run's processes, the first process's first; what it saw of the
            machine counts, for a container sees the same processor.
        image: the container's image, or None.
    """
    facts: dict[str, Any] = next(
        (report["machine"] for report in reports if report.get("machine")), {}
    )
    return {
        **facts,
        "kernel": platform.release(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "engine": None if image is None else engine_version(image.client),
    }


def lock_of_image(image: Image) -> str | None:
    """Return the SHA-256 of the lock that an image was built from, by its label; None without."""
    label = '{{index .Config.Labels "org.seedlock.lock.sha256"}}'
    return _asked([image.client, "image", "inspect", "--format", label, image.digest]) or None


def engine_version(client: str) -> str:
    """Return a container engine's name and version, `unknown` where it does not say."""
    version = _asked([client, "version", "--format", "{{.Server.Version}}"])
    return f"{os.path.basename(client)} {version}" if version else "unknown"


def _asked(words: list[str]) -> str:
    """Return what an engine answers, empty where it does not within a minute."""
    try:
        asked = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()
