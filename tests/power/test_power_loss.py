"""A round is evaluated, and the power fails again and again."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedlock.evaluation import process_groups
from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.process_groups import Family
from seedlock.evaluation.runs import OUTPUT
from tests.evaluation.evaluating.made_round import ANOTHER, GOOD, UNSEALED, MadeRound, make
from tests.power.disk import Disk

SEEDS, FAILURES = 6, 12

ENDED = re.compile(r"(\w+), seed index (\d+)(?:, attempt (\d+))?: (done) after")
"""A line of evaluate's."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk, where this machine lets one be made."""
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4") or not Path("/dev/loop-control").exists():
        pytest.skip("it takes root, loop devices and mkfs.ext4")
    made = Disk(tmp_path)
    yield made
    made.close("--lazy")  # where a test failed, something may still write to it


def synced(folder: Path) -> None:
    """Write all that a file system holds to its disk."""
    subprocess.run(["sync", "-f", str(folder)], check=True)


def wait_for_an_end(evaluating: subprocess.Popen[str], said: list[str]) -> None:
    """Wait until the next run is said to be done: what is not on the disk by then never was."""
    at = len(said)
    while evaluating.poll() is None and not any(ENDED.search(line) for line in said[at:]):
        time.sleep(0.0005)


@contextmanager
def standing(leader: int) -> Iterator[None]:
    """A block in which a process and its descendants stand still."""
    pids = Family(leader).living()
    process_groups.send(pids, signal.SIGSTOP)
    yield
    process_groups.send(pids, signal.SIGCONT)


def test_what_was_said_to_have_ended_has(disk: Disk) -> None:
    """At each failure: the ledger is whole, what was said to be done is there with its results,
    and the same command comes to one end for each seed."""
    choose = random.Random(7)
    made = make(disk.place, {"good": GOOD, "another": ANOTHER}, seeds=SEEDS, retries=100)
    synced(disk.place)
    said: list[str] = []
    evaluating = made.begin(*UNSEALED, "--jobs", "2")

    def listen() -> None:
        assert evaluating.stderr is not None
        for line in evaluating.stderr:
            said.append(line)

    listening = threading.Thread(target=listen)
    listening.start()
    failures: list[tuple[Path, int]] = []
    while evaluating.poll() is None and len(failures) < FAILURES:
        if len(failures) % 2:
            time.sleep(choose.uniform(0.0, 0.5))
        else:
            wait_for_an_end(evaluating, said)
        with standing(evaluating.pid):
            known = len(said)
            failures.append((disk.fail(f"failed-{len(failures)}"), known))
    assert evaluating.wait() == 0
    listening.join()
    assert len(failures) > FAILURES / 2

    for copy, known in failures:
        disk.restart(copy)
        went_on(made, said[:known])
        copy.unlink()


def went_on(made: MadeRound, said: list[str]) -> None:
    """Check what a failure left, and go on from there."""
    told = [found.groups() for line in said if (found := ENDED.search(line))]
    if (made.folder / "ledger.db").exists():
        ends = made.ends()
        for name, index, attempt, state in told:
            assert (int(index), int(attempt or 1), state) in ends[name]
        made.verify()
        for end in made.events("ended"):
            if end["content"]["record"] is not None:
                whole(made, end["content"]["record"])
    else:
        assert not told

    done = made.evaluate(*UNSEALED, "--jobs", "2")

    assert f"{2 * SEEDS} of {2 * SEEDS} runs ended" in done.err
    for ended in made.ends().values():
        assert [index for index, _, state in ended if state == "done"] == list(range(SEEDS))
    made.verify()


def whole(made: MadeRound, path: str) -> None:
    """Make sure that a record and the outputs that it names are on the disk, to the byte."""
    record = json.loads((made.folder / path).read_text())
    assert record["status"] == "complete"
    outputs = (made.folder / path).with_suffix("") / WORKPLACE / OUTPUT
    for each in record["outputs"]:
        assert digest_of(outputs / each["path"]).digest == each["sha256"]
