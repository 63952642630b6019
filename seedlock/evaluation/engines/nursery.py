"""A process that forks one worker for each unit, and outlives none of them.

It is forked from a process that has all modules and no thread, before a ledger is opened: a worker
starts in milliseconds and holds no connection of somebody else's. From a process with threads it is
started afresh, since a fork would copy their locks: NVIDIA's driver library, once asked how many
GPUs there are, seems to leave some (driver 580.159.04: threads were seen, not whose). It leads a
session of its own, so that Ctrl-C reaches whoever evaluates and nobody else. Messages are JSON, one
per packet.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import process_groups
from seedlock.evaluation.engines.base import unit_of
from seedlock.evaluation.engines.unit import carry_out

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 1 << 16
"""Bytes of a message."""

GENTLY, AT_ONCE = (signal.SIGTERM,), (signal.SIGTERM, signal.SIGHUP)
"""What ends a worker: it counts signals (`watching.Interruption`), and two of one kind that come
together are one."""

PATIENCE = 30.0
"""Seconds that workers get to end their runs before they are killed."""

EVERY = 1.0
"""Seconds between two looks for processes whose worker has gone."""


FRESH = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from seedlock.evaluation.engines import nursery; nursery.serve(int(sys.argv[1]))"
)
"""A nursery that is started afresh. The current folder, which may hold anything, has no say in
what it imports."""


def begin() -> tuple[int, socket.socket]:
    """Begin a nursery; return its process id and the socket to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    if len(os.listdir("/proc/self/task")) > 1:
        theirs.set_inheritable(True)
        command = [sys.executable, "-c", FRESH, str(theirs.fileno())]
        pid = os.posix_spawn(sys.executable, command, os.environ)
    else:
        pid = os.fork()
        if pid == 0:
            _alone(lambda: _Nursery(theirs).serve(), ours)
    theirs.close()
    return pid, ours


def serve(socket_number: int) -> None:
    """Be a nursery that was started afresh; never returns.

    Args:
        socket_number: file descriptor of the socket to the caller.
    """
    caller = socket.socket(fileno=socket_number)
    caller.set_inheritable(False)
    _alone(lambda: _Nursery(caller).serve())


def _alone(work: Callable[[], int], *others: socket.socket) -> None:
    """Do the work of a process of its own and end it, whatever happens in there.

    Args:
        work: returns the exit status.
        others: sockets of the process that it was forked from, to be closed.
    """
    status = 1
    try:
        for other in others:
            other.close()
        status = work()
        sys.stderr.flush()
    finally:
        kind, problem, trace = sys.exc_info()
        if kind is not None and problem is not None:
            sys.excepthook(kind, problem, trace)
        # Never back into the copy of somebody else's stack.
        os._exit(status)


class _Nursery:
    def __init__(self, caller: socket.socket) -> None:
        self._caller = caller
        self._workers: dict[int, str] = {}
        self._wake, wake = os.pipe()
        for number in (self._wake, wake):
            os.set_blocking(number, False)
        os.setsid()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        process_groups.adopt_orphans()

    def serve(self) -> int:
        while True:
            caller = self._caller.fileno()
            ready, _, _ = select.select([caller, self._wake], [], [], EVERY)
            if self._wake in ready:
                os.read(self._wake, 4096)
            self._reap()
            if caller in ready:
                message = self._caller.recv(LARGEST)
                if not message:
                    break
                self._do(json.loads(message))
        self._end_all()
        return 0

    def _do(self, message: dict[str, Any]) -> None:
        if message["do"] == "start":
            self._start(message["unit"])
            return
        for pid, output in self._workers.items():
            if output == message["output"]:
                for number in AT_ONCE if message["at_once"] else GENTLY:
                    process_groups.send([pid], number)

    def _start(self, content: dict[str, Any]) -> None:
        me = os.getpid()
        pid = os.fork()
        if pid == 0:
            _alone(lambda: _work(content, me), self._caller)
        self._workers[pid] = content["output"]
        self._tell({"said": "started", "output": content["output"], "pid": pid})

    def _reap(self) -> None:
        ended = []
        for pid in list(self._workers):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                ended.append((self._workers.pop(pid), os.waitstatus_to_exitcode(status)))
        # What is adopted has lost its worker, which would have ended it.
        while orphans := process_groups.adopted(set(self._workers)):
            process_groups.send(orphans, signal.SIGKILL)
            time.sleep(0.01)
        process_groups.reap(set(self._workers))
        for output, code in ended:
            self._tell({"said": "ended", "output": output, "status": code})

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            self._caller.send(json.dumps(message).encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the next read sees that nobody is there

    def _end_all(self) -> None:
        for pid in self._workers:
            for number in AT_ONCE:
                process_groups.send([pid], number)
        end = time.monotonic() + PATIENCE
        while self._workers and time.monotonic() < end:
            self._reap()
            time.sleep(0.02)
        process_groups.send(list(self._workers), signal.SIGKILL)
        while self._workers:
            self._reap()
            time.sleep(0.02)


def _work(content: dict[str, Any], parent: int) -> int:
    """Carry out a unit in a process of its own; return its exit status."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process_groups.end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        return 1
    unit = unit_of(content)
    log = Path(unit.record).with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    if unit.cpus:
        os.sched_setaffinity(0, unit.cpus)
    status, said = carry_out(unit, os.environ)
    if said:
        os.write(2, f"{said}\n".encode(errors="replace"))
    return status
