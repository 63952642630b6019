"""PID 1 and what passes through it: signals down, exit statuses up, orphans reaped."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.image import engine

if TYPE_CHECKING:
    from tests.image.tracked import TrackedContainer

WAIT_FOR_TERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print("ready", flush=True)
time.sleep(60)
"""

LEAVE_AN_ORPHAN = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.1)
    os._exit(0)
os.wait()
time.sleep(0.5)
states = {}
for name in filter(str.isdecimal, os.listdir("/proc")):
    text = open(f"/proc/{name}/stat").read()
    states[int(name)] = text.rpartition(")")[2].split()[0]
print(open("/proc/1/comm").read().strip(), len(states), "Z" in states.values())
"""


@pytest.mark.parametrize("seed", [None, 7])
def test_term_reaches_the_program(image: str, seed: int | None) -> None:
    """SIGTERM reaches a Python program at once, and its exit status is the container's."""
    name = f"seedlock-{uuid.uuid4().hex[:12]}"
    words = ["run", "--detach", "--network=none", f"--name={name}"]
    words += [] if seed is None else [f"--env=REPRO_SEED={seed}"]
    engine.docker(*words, image, "python", "-c", WAIT_FOR_TERM)
    try:
        end = time.monotonic() + 30
        while engine.docker("logs", name).stdout != "ready\n":
            assert time.monotonic() < end
            time.sleep(0.1)
        begin = time.monotonic()
        engine.docker("kill", "--signal=TERM", name)
        status = engine.docker("wait", name).stdout.strip()
        seconds = time.monotonic() - begin
    finally:
        engine.docker("rm", "--force", name)

    assert status == "5"
    assert seconds < 3


@pytest.mark.parametrize("user", ["1000", "12345:12345"])
def test_report_arrives_in_output(container: TrackedContainer, user: str) -> None:
    """A run leaves its report below /output, for the image's user and for any other."""
    seeded = container.seeded(7, REPRO_REPORT="/output/reports").using(f"--user={user}")
    script = "python -c pass && cat /output/reports/*.json"

    report = json.loads(seeded.run("sh", "-c", script).stdout)

    assert report["settings"]["seed"] == 7
    assert report["status"] == "finished"


@pytest.mark.parametrize("status", [0, 3, 78])
@pytest.mark.parametrize("seed", [None, 7])
def test_exit_status_arrives(container: TrackedContainer, seed: int | None, status: int) -> None:
    """A program's exit status is the container's, with and without a seed."""
    started = container if seed is None else container.seeded(seed)

    started.run("python", "-c", f"raise SystemExit({status})", status=status)


def test_first_process_reaps_orphans(container: TrackedContainer) -> None:
    """PID 1 is tini, and an orphan that ended leaves no zombie."""
    assert container.seeded(7).run("python", "-c", LEAVE_AN_ORPHAN).stdout == "tini 2 False\n"
