"""daemon.py: what was started for the tests ends with them, however these end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import engine

SECONDS = 60

SERVER = """\
import os, signal, sys, time
def end(number, frame):
    os.write(1, b"ended\\n")
    sys.exit()
signal.signal(signal.SIGTERM, end)
os.write(1, b"up %d\\n" % os.getpid())
time.sleep(1000)
"""
"""In dockerd's place: says when it is up and when it was asked to end."""

STARTER = """\
import os, subprocess, sys, time
bound = [f"--with={os.getpid()}"] if sys.argv[1] == "bound" else []
subprocess.Popen([sys.executable, sys.argv[2], *bound, sys.executable, "-c", sys.argv[3]],
                 start_new_session=True)
time.sleep(1000)
"""
"""In the place of pytest: starts it as `engine.up` does."""


class Started:
    """A process that has started a server by daemon.py, and what the server says."""

    def __init__(self, how: str) -> None:
        command = [sys.executable, "-c", STARTER, how, str(engine.DAEMON), SERVER]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.server = int(self.line().split()[1])

    def line(self, seconds: float = SECONDS) -> bytes:
        """Return the next line; empty where none comes, or the server is gone."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.raw.read(100) if ready else b""  # type: ignore[attr-defined]

    def kill(self, pid: int | None = None) -> None:
        """Kill the process that started it, or another one."""
        os.kill(pid or self.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        if Path(f"/proc/{self.server}").exists():
            os.kill(self.server, signal.SIGKILL)


@pytest.fixture(name="started")
def started_fixture(request: pytest.FixtureRequest) -> Iterator[Started]:
    """One that is bound to its parent, or as the test says."""
    started = Started(getattr(request, "param", "bound"))
    yield started
    started.end()


def test_a_killed_parent_takes_it_along(started: Started) -> None:
    """It is asked to end, and can end its containers."""
    started.kill()

    assert started.line() == b"ended\n"


def test_a_killed_daemon_takes_it_along(started: Started) -> None:
    """daemon.py itself is no better than others."""
    stat = Path(f"/proc/{started.server}/stat").read_text()
    started.kill(int(stat.rpartition(")")[2].split()[1]))

    assert started.line() == b"ended\n"


@pytest.mark.parametrize("started", ["staying"], indirect=True)
def test_what_shall_stay_stays(started: Started) -> None:
    """An engine that `make image` started serves the next command, too."""
    started.kill()
    started.process.wait()

    assert started.line(seconds=0.5) == b""
    os.kill(started.server, signal.SIGTERM)
    assert started.line() == b"ended\n"


def test_a_parent_that_is_gone_already() -> None:
    """Nothing is started for it."""
    command = [
        sys.executable,
        str(engine.DAEMON),
        f"--with={os.getppid()}",
        sys.executable,
        "-c",
        SERVER,
    ]

    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)

    assert (done.returncode, done.stdout) == (1, b"")
