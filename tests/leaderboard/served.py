"""A real server in a process of its own, as an organiser starts it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.interpreter import environment

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

LINK = re.compile(r"https?://\S+/first\?code=\S+")

PATIENCE = 60
"""Seconds in which it has to be ready, on a machine with other work."""


@dataclass
class Served:
    """A running server.

    Attributes:
        url: where it answers.
        process: the server's.
        said: the lines that it printed.
    """

    url: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def first_link(self) -> str:
        """The one-time link of the organiser's that it printed at its start."""
        found = LINK.search("\n".join(self.said))
        assert found, self.said
        return found.group()


def free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[Served]:
    """Run `seedlock serve FOLDER`, and end it.

    Args:
        folder: of the server.
        options: further ones.
        variables: of its environment.
    """
    port = free_port()
    words = [SEEDLOCK, "serve", str(folder), "--port", str(port), *options]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env=environment(PYTHONUNBUFFERED="1", **variables),
    )  # fmt: skip
    served = Served(f"http://127.0.0.1:{port}", process)
    reader = threading.Thread(target=_read, args=(served,))
    reader.start()
    try:
        _wait(served, port)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()


def _read(served: Served) -> None:
    assert served.process.stdout is not None
    for line in served.process.stdout:
        served.said.append(line.rstrip("\n"))


def _wait(served: Served, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert served.process.poll() is None, served.said
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"it does not answer after {PATIENCE} s: {served.said}")
