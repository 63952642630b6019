"""Who watches over a sealed container, as its label says it, and whether that process still lives.

The lifeline removes a container whose seedlock was killed. Where it was killed too, as with a whole
control group, the next sealed run on this machine finds the container by its label.
"""

from __future__ import annotations

import os

LABEL = "org.seedlock.supervisor"

BOOT = "/proc/sys/kernel/random/boot_id"


def identity() -> str:
    """Return what names this process among all of all machines and boots: the boot, the namespace
    of its process id, that id, and its start in ticks since the boot (proc(5))."""
    return ":".join([*_surroundings(), str(os.getpid()), _start(os.getpid()) or "0"])


def gone(label: str) -> bool:
    """Tell whether the process that a label names has ended.

    Of another machine's, another boot's or another namespace's process nothing is known: False.
    """
    boot, _, rest = label.partition(":")
    namespace, _, rest = rest.partition(":")
    pid, _, start = rest.partition(":")
    if [boot, namespace] != _surroundings() or not pid.isdecimal():
        return False
    return _start(int(pid)) != start


def _surroundings() -> list[str]:
    with open(BOOT) as file:
        return [file.read().strip(), str(os.stat("/proc/self/ns/pid").st_ino)]


def _start(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command may hold spaces and brackets.
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return None
