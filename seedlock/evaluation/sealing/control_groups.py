"""What the kernel counts of a container while it runs, where this machine has it."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

ROOT = "/sys/fs/cgroup/"

PLACES = ("docker/{}/", "system.slice/docker-{}.scope/")
"""Where an engine puts a container's group, by its id, under its two drivers (docs.docker.com,
"Runtime metrics")."""

FILES = {
    "memory": (("memory/", "memory.oom_control"), ("", "memory.events")),
    "processes": (("pids/", "pids.events"), ("", "pids.events")),
    "processors": (("cpuacct/", "cpuacct.stat"), ("", "cpu.stat")),
    "peak": (("memory/", "memory.max_usage_in_bytes"), ("", "memory.peak")),
}
"""Hierarchy and file of control groups of version 1 and 2."""

LINES = {"memory": r"^oom_kill (\d+)$", "processes": r"^max (\d+)$", "peak": r"^(\d+)$"}
"""Lines of these files (kernel.org, "Control Group v2": memory.events, pids.events, memory.peak,
since Linux 5.19; "Memory Resource Controller" for version 1)."""

TIMES = re.compile(r"^(user|system)(_usec)? (\d+)$", re.MULTILINE)
"""Lines of cpuacct.stat, in ticks of USER_HZ, and of cpu.stat, in microseconds."""


class Taken(NamedTuple):
    """What a container took, as far as it was seen.

    Attributes:
        user, system: seconds of processors.
        peak: most bytes at a time, with the kernel's copies of files that it read or wrote, which
            count up to the limit; 0 where the kernel does not say.
    """

    user: float
    system: float
    peak: int


class Counters:
    """How often a container came to a limit, and what it took, as far as it was seen.

    Attributes:
        memory: processes that the kernel ended for want of memory.
        processes: processes and threads that it refused.
        taken: what it took until the last look; None where nothing was seen.
    """

    def __init__(self, identity: str) -> None:
        self.memory = self.processes = 0
        self.taken: Taken | None = None
        self._identity = identity

    def look(self) -> None:
        """Read the counters. They vanish with the container; what was seen before stays."""
        self.memory = max(self.memory, self._count("memory"))
        self.processes = max(self.processes, self._count("processes"))
        found = {key: int(value) / (1e6 if unit else os.sysconf("SC_CLK_TCK"))
                 for key, unit, value in TIMES.findall(self._read("processors"))}  # fmt: skip
        if "user" in found and "system" in found:
            peak = max(self._count("peak"), self.taken.peak if self.taken else 0)
            self.taken = Taken(found["user"], found["system"], peak)

    def _count(self, name: str) -> int:
        match = re.search(LINES[name], self._read(name), re.MULTILINE)
        return int(match[1]) if match else 0

    def _read(self, name: str) -> str:
        for hierarchy, file in FILES[name]:
            for place in PLACES:
                try:
                    with open(ROOT + hierarchy + place.format(self._identity) + file) as opened:
                        return opened.read()
                except OSError:
                    continue
        return ""
