"""Run dockerd as a process that takes in its own orphans: `daemon.py /usr/sbin/dockerd [option …]`.

containerd lets go of the shim of each container. Below a process that takes in orphans, as one does
that watches runs (seedlock/evaluation/process_groups.py), they would come to that one and look like
a run's. The setting ends at the nearest ancestor that has it (prctl(2), PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the command to its end, pass signals on and take note of each orphan's end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    daemon = subprocess.Popen(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: daemon.send_signal(number))
    while True:
        pid, status = os.wait()
        if pid == daemon.pid:
            daemon.returncode = os.waitstatus_to_exitcode(status)
            return abs(daemon.returncode)


if __name__ == "__main__":
    sys.exit(main())
