"""What the kernel counts of a container while it runs, where this machine has it."""

from __future__ import annotations

import re

ROOT = "/sys/fs/cgroup/"

PLACES = ("docker/{}/", "system.slice/docker-{}.scope/")
"""Where an engine puts a container's group, by its id, under its two drivers (docs.docker.com,
"Runtime metrics")."""

FILES = {
    "memory": (("memory/", "memory.oom_control"), ("", "memory.events")),
    "processes": (("pids/", "pids.events"), ("", "pids.events")),
}
"""Hierarchy and file of control groups of version 1 and 2."""

LINES = {"memory": r"^oom_kill (\d+)$", "processes": r"^max (\d+)$"}
"""Lines of these files (kernel.org, "Control Group v2": memory.events, pids.events)."""


class Counters:
    """How often a container came to a limit, as far as it was seen.

    Attributes:
        memory: processes that the kernel ended for want of memory.
        processes: processes and threads that it refused.
    """

    def __init__(self, identity: str) -> None:
        self.memory = self.processes = 0
        self._identity = identity

    def look(self) -> None:
        """Read the counters. They vanish with the container; what was seen before stays."""
        self.memory = max(self.memory, self._count("memory"))
        self.processes = max(self.processes, self._count("processes"))

    def _count(self, name: str) -> int:
        for hierarchy, file in FILES[name]:
            for place in PLACES:
                try:
                    with open(ROOT + hierarchy + place.format(self._identity) + file) as opened:
                        match = re.search(LINES[name], opened.read(), re.MULTILINE)
                except OSError:
                    continue
                return int(match[1]) if match else 0
        return 0
