"""Between seedlock and the engine's client of a container, so that no container outlives seedlock.

Run as a program of its own, in a session of its own. While its parent lives it only waits for the
client. When the parent is gone, by KILL too, or says TERM, it ends the client and removes the
container: one that nobody watches has no time limit, and its results would have no record.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

PATIENCE = 30.0
"""Seconds that an engine may take to make a container that was asked for before the end."""

AGAIN = 0.3
"""Seconds between two tries to remove it."""

SLOW = 0.2
"""Seconds between two looks where the kernel has no pidfd_open(2) (before Linux 5.3)."""


def words(argv: list[str], container: tuple[str, str] = ("", "")) -> list[str]:
    """Return the command that starts a client and watches over it.

    Args:
        argv: the client's words.
        container: path of the client, and the name of the container that it makes, if it does.
    """
    # -I -S: neither the environment nor a .pth file of it decides what this small program does.
    own = [sys.executable, "-I", "-S", "-B", os.path.abspath(__file__)]
    return [*own, str(os.getpid()), *container, *argv]


def main(parent: int, client: str, name: str, argv: list[str]) -> int:
    """Run the client to its end; return its exit status, 128 and more for a signal.

    Args:
        parent: process id of whoever started this.
        client, name, argv: as in `words`.
    """
    signal.signal(signal.SIGTERM, _end)
    child = subprocess.Popen(argv)
    try:
        left = _outlives(parent, child)
    except _Told:
        left = True
    if left:
        child.kill()
        child.wait()
        if name:
            _remove(client, name)
        return 1
    status = child.wait()
    return 128 - status if status < 0 else status


class _Told(Exception):
    """TERM came."""


def _end(*_: object) -> None:
    raise _Told


def _outlives(parent: int, child: subprocess.Popen[bytes]) -> bool:
    """Wait for the first end of two; tell whether it was the parent's."""
    poll = select.poll()
    wait: float | None = SLOW * 1000
    try:
        for pid in (parent, child.pid):
            poll.register(os.pidfd_open(pid), select.POLLIN)
        wait = None
    except OSError:
        pass  # no pidfd, or the parent is gone already
    while os.getppid() == parent:
        # Looked at without taking note of it, which `wait` does.
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return False
        poll.poll(wait)
    return True


def _remove(client: str, name: str) -> None:
    """Remove the container, which the engine may still be making."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        asked = subprocess.run(
            [client, "rm", "--force", "--volumes", name], capture_output=True, check=False
        )
        if name in asked.stdout.decode(errors="replace").split():
            return  # newer clients end with 0 for one that is not there, and name none
        time.sleep(AGAIN)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
