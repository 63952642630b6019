"""All processes that a run started, and their end.

A run leads a session of its own. What leaves the session is found by its ancestors, and by a
variable that each process inherits. What loses its parents becomes a child of this process,
which asks the kernel for it (prctl(2), PR_SET_CHILD_SUBREAPER), and is found as that.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = "_SEEDLOCK_VERIFY"
"""Variable whose value is one run's alone."""

NOBODY = 0
"""The parent of processes whose parent is the kernel, or stands outside of this namespace."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Process(NamedTuple):
    """What /proc/PID/stat says of a process."""

    pid: int
    parent: int
    session: int
    group: int
    state: str


def adopt_orphans() -> None:
    """Make this process the parent of descendants that lose theirs, where the kernel can."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def living(leader: int, mark: str) -> list[int]:
    """Return the processes of a run that have not ended.

    Args:
        leader: process id of the run's first process, which leads its session. It may have ended
            but must not have been waited for, or the number could be another's by now.
        mark: value of `MARK` in the run's environment.
    """
    table = _table()
    found = {pid for pid, each in table.items() if leader in (pid, each.session, each.group)}
    wanted = f"{MARK}={mark}".encode()
    found |= {pid for pid in table.keys() - found if wanted in _environment(pid)}
    return sorted(pid for pid in _below(found, table) if table[pid].state not in "ZX")


class Family:
    """A process and all that descend from it, by ancestors alone.

    Cheaper than `living`, and enough where nothing can lose its parents, as in a process
    namespace. What is found to be a stranger is not looked at again: on a machine with many
    processes a look from time to time would take a part of a processor.

    Args:
        leader: process id of the first.
    """

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._strangers: set[int] = set()

    def living(self) -> list[int]:
        """Return those that have not ended."""
        pids = _pids()
        self._strangers &= pids
        table = _table(pids - self._strangers)
        found = _below({self._leader} & table.keys(), table)
        # By their own ancestors, up to none: one whose parent has just ended may yet be ours.
        others = {pid: each for pid, each in table.items() if pid != self._leader}
        self._strangers = _below({NOBODY, *self._strangers}, others) - {NOBODY}
        return sorted(pid for pid in found if table[pid].state not in "ZX")


def marked(folder: str) -> list[int]:
    """Return the processes of all runs whose folders lie below one and that have not ended.

    Args:
        folder: absolute path.
    """
    beginning = f"{MARK}={folder.rstrip('/')}/".encode()
    return sorted(
        pid for pid, each in _table().items()
        if each.state not in "ZX" and any(of.startswith(beginning) for of in _environment(pid))
    )  # fmt: skip


def children() -> set[int]:
    """Return the children of this process, also those that have ended and were not waited for."""
    me = os.getpid()
    return {pid for pid, each in _table().items() if each.parent == me}


def adopted(own: set[int]) -> list[int]:
    """Return orphans that this process adopted and that have not ended.

    Args:
        own: children that somebody waits for.
    """
    me = os.getpid()
    return sorted(
        pid for pid, each in _table().items()
        if each.parent == me and each.state not in "ZX" and pid not in own
    )  # fmt: skip


def end_with_parent(number: signal.Signals) -> None:
    """Let the kernel send this process a signal when the one that forked it has ended.

    It counts from this call on: whoever calls looks afterwards whether it still has its parent.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def wait_for_one(pids: list[int], seconds: float) -> None:
    """Wait until one of these children has ended, or until the time is over.

    Args:
        pids: children that nobody has waited for.
        seconds: how long at most.
    """
    with ExitStack() as handles:
        poll = select.poll()
        for pid in pids:
            try:
                number = os.pidfd_open(pid)
            except OSError:
                continue  # a kernel before 5.3: then the time decides
            handles.callback(os.close, number)
            poll.register(number, select.POLLIN)
        poll.poll(seconds * 1000)


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to processes, those that have ended meanwhile left out."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def reap(own: set[int]) -> None:
    """Take note of the end of orphans that this process adopted.

    Args:
        own: children that somebody waits for.
    """
    me = os.getpid()
    for pid, each in _table().items():
        if each.parent == me and each.state == "Z" and pid not in own:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def signal_name(number: int) -> str:
    """Return what a signal is called; most of those for real-time programs have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def command_line(pid: int) -> str:
    """Return a process's command, at most 200 characters; empty where it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(400).replace(b"\0", b" ").decode(errors="replace").strip()[:200]
    except OSError:
        return ""


def _below(known: set[int], table: Mapping[int, Process]) -> set[int]:
    """Return these processes and all that descend from them."""
    found = set(known)
    while grown := {pid for pid, each in table.items() if each.parent in found} - found:
        found |= grown
    return found


def _pids() -> set[int]:
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}


def _table(pids: set[int] | None = None) -> dict[int, Process]:
    found = {}
    for pid in _pids() if pids is None else pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The command may hold spaces and brackets (proc(5)).
                words = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has just ended
        parent, group, session = (int(word) for word in words[1:4])
        found[pid] = Process(pid, parent, session, group, words[0].decode())
    return found


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []
