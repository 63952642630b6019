"""A sealed run whose seedlock is ended from outside while its program waits."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.interpreter import environment

WAITS = """\
import os, time
open(os.environ["REPRO_OUTPUT"] + "/begun", "w").close()
time.sleep(600)
"""

LONG = 90.0
"""Seconds after which a test gives up; what it waits for takes a second or two."""


def start(folder: Path, *words: str, begun: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a command of seedlock's in a folder; return when the program in it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seedlock", *words], cwd=folder, env=environment(**variables),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while not begun.exists():
        assert process.poll() is None, process.returncode
        time.sleep(0.05)
    return process


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def program(name: str) -> list[int]:
    """Return the processes with a word in their command line."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if name in (each / "cmdline").read_bytes().decode(errors="replace").split("\0"):
                found.append(int(each.name))
        except OSError:
            continue
    return found
