"""Run dockerd as a process that takes in its own orphans, and ends with whoever needs it:
`daemon.py [--with=PID] /usr/sbin/dockerd [option …]`.

containerd lets go of the shim of each container. Below a process that takes in orphans, as one does
that watches runs (seedlock/evaluation/process_groups.py), they would come to that one and look like
a run's. The setting ends at the nearest ancestor that has it (prctl(2), PR_SET_CHILD_SUBREAPER).

With --with, the parent's id, dockerd is asked to end when the parent has, however that was: who is
killed stops nothing (prctl(2), PR_SET_PDEATHSIG; the parent starts this from its main thread, since
the kernel looks at the thread).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

WITH = "--with="

libc = ctypes.CDLL(None)


def end_with(parent: int) -> bool:
    """Have SIGTERM come when the parent ends; return whether it is there still."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    return os.getppid() == parent


def main() -> int:
    """Run the command to its end, pass signals on and take note of each orphan's end."""
    command, own = sys.argv[1:], os.getpid()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    follow = None
    if command[0].startswith(WITH):
        if not end_with(int(command.pop(0)[len(WITH) :])):
            return 1

        def follow() -> None:
            if not end_with(own):
                os._exit(1)

    daemon = subprocess.Popen(command, preexec_fn=follow)  # noqa: PLW1509 (there is one thread)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: daemon.send_signal(number))
    while True:
        pid, status = os.wait()
        if pid == daemon.pid:
            daemon.returncode = os.waitstatus_to_exitcode(status)
            return abs(daemon.returncode)


if __name__ == "__main__":
    sys.exit(main())
