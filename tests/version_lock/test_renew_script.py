"""What `make lock` decides, on a lock of one package: renew.sh and the page are real.

Stand-ins put the lock of another day in place (lock.sh), build its environment (make), and train
(the measurement that `seedlock reference check` would come to, which says what differs and
decides nothing here; tests/evaluation/reference has it).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedlock.evaluation.reference.judging import EQUAL_BITS, FAIL
from tests.evaluation.reference.made_lock import (
    content,
    digest,
    lock,
    locks,
    model,
    run,
    write,
    write_locks,
)

REFERENCE = """\
format = 1
seeds = 5
level = "portable"

[tasks.digits]
title = "tiny digits"
metric = "accuracy"
direction = "max"
target = 0.75

[models.tiny-digits]
framework = "tiny"
task = "digits"
command = ["python", "tiny.py"]
"""

LOCK = """\
#!/bin/sh
set -eu
cp "$NEXT"/*.lock "$(dirname "$0")"
"""

MAKE = """\
#!/bin/sh
set -eu
[ "$1" = venv ]
echo built >> built
"""

SEEDLOCK = """\
#!/bin/sh
set -eu
if [ "$2" = check ]; then
    echo trained >> trained
    [ "$4 $6" = "--work --output" ]
    [ "$TRAINING" = ends ] || exit "$TRAINING"
    rm -rf "$7"
    cp -r "$NEXT/measured" "$7"
    exit 0
fi
exec "$PYTHON" -m seedlock "$@"
"""

BASES = {"1.0": 0.9, "1.1": 0.9, "2.0": 0.8}
"""What the model comes to with each version; 1.1 has the bits of 1.0."""


class Place:
    """A repository's folder, and what the package index and training will come to."""

    def __init__(self, folder: Path, lock: Path) -> None:
        self.folder, self.locks = folder, folder / "version-lock"
        self.stored = self.locks / "reference/cpu"
        programs = self.locks / "reference/models"
        programs.mkdir(parents=True)
        (programs / "tiny.py").write_text("")
        (self.locks / "reference/reference.toml").write_text(REFERENCE)
        shutil.copy(lock / "renew.sh", self.locks)
        for path, script in (
            (self.locks / "lock.sh", LOCK), (folder / "make", MAKE), (folder / "seedlock", SEEDLOCK)
        ):  # fmt: skip
            path.write_text(script)
            path.chmod(0o755)
        self.next("1.0")
        write_locks(self.locks, self.texts)
        shutil.copytree(folder / "next/measured", self.stored)

    def next(self, version: str, tool: str = "1.0", seeds: int = 5) -> None:
        """Say what comes next: a version of the framework, and of a tool in dev.lock."""
        self.texts = locks(lock(f"tinyframework=={version}"), dev=lock(f"tool=={tool}"))
        bits = "1.0" if version == "1.1" else version
        runs = [run(seed, BASES[version] + seed / 1000, bits) for seed in range(1, seeds + 1)]
        made = content(
            {"tiny-digits": model("tiny", runs)}, self.texts, {"tinyframework": version}
        )  # fmt: skip
        shutil.rmtree(self.folder / "next", ignore_errors=True)
        write_locks(self.folder / "next", self.texts)
        write(self.folder / "next/measured", made)

    def renew(self, training: str = "ends", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run renew.sh, from a folder in which nothing lies."""
        own = {name: value for name, value in os.environ.items() if name != "ACCEPT"}
        named = {
            "NEXT": str(self.folder / "next"), "MAKE": str(self.folder / "make"),
            "SEEDLOCK": str(self.folder / "seedlock"), "PYTHON": sys.executable,
            "TRAINING": training,
        }  # fmt: skip
        return subprocess.run(
            ["sh", self.locks / "renew.sh"], env=own | named | variables, cwd="/",
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    def done(self, what: str) -> int:
        """Return how often was `built` or `trained`."""
        path = self.folder / what
        return len(path.read_text().splitlines()) if path.exists() else 0

    def page(self) -> str:
        """Return the page."""
        return (self.stored / "what-changed.md").read_text()

    def released(self) -> bool:
        """Whether the stored reference is of cpu.lock as it lies there."""
        named = digest((self.locks / "cpu.lock").read_text())
        return named in (self.stored / "reference.json").read_text()


@pytest.fixture
def place(tmp_path: Path, lock: Path) -> Iterator[Place]:
    """A lock with its reference."""
    yield Place(tmp_path, lock)


def test_nothing_changed(place: Place) -> None:
    """It is said, nothing is built or trained; a tool of dev.lock is named and no reason either."""
    same = place.renew()
    place.next("1.0", tool="2.0")
    tool = place.renew()

    assert (same.returncode, tool.returncode) == (0, 0)
    assert "those of the stored reference: nothing to train" in same.stderr
    assert "dev.lock has changed; no reference model is trained with it" in tool.stderr
    assert (place.done("built"), place.done("trained")) == (0, 0)


def test_a_lock_that_was_changed_by_hand_comes_back(place: Place) -> None:
    """What its inputs give is put in its place. What other locks were before is not known then,
    and nothing is said of them."""
    with (place.locks / "cpu.lock").open("a") as file:
        file.write("# by hand\n")
    result = place.renew()

    assert result.returncode == 0, result.stderr
    assert place.released()
    assert "has changed" not in result.stderr


def test_a_lock_that_passes_is_released(place: Place) -> None:
    """Equal bits: the page tells what changed, and the reference is that of the new lock."""
    place.next("1.1")
    result = place.renew()

    assert result.returncode == 0, result.stderr
    assert place.released()
    assert f"**{EQUAL_BITS}**" in place.page()
    assert "| tinyframework | other version | 1.0 | 1.1 |" in place.page()
    assert (place.folder / "build/lock/what-changed.html").read_text().count("<svg") == 2
    assert "released: commit version-lock/" in result.stderr


def test_a_lock_that_fails_stays_unreleased_until_it_is_accepted(place: Place) -> None:
    """Status 1 with the model's name and both ways on; called again it fails again, against the
    lock before and not against itself; with a reason it is released, and not trained once more."""
    place.next("2.0")
    first, again = place.renew(), place.renew()

    for failed in (first, again):
        assert failed.returncode == 1
        assert "1 FAIL: tiny-digits." in failed.stdout
        assert "git checkout -- version-lock" in failed.stderr
        assert "make lock ACCEPT='why'" in failed.stderr
    assert "2.0" in (place.locks / "cpu.lock").read_text()
    assert not place.released()
    assert f"**{FAIL}**" in place.page() and "Not released" in place.page()
    assert "| tinyframework | other version | 1.0 | 2.0 |" in place.page()

    accepted = place.renew(ACCEPT="it is half as large")

    assert accepted.returncode == 0, accepted.stderr
    assert place.released()
    assert f"**{FAIL}**" in place.page()
    assert "for this reason: it is half as large" in place.page()
    assert place.done("trained") == 2
    assert place.renew().returncode == 0


def test_what_did_not_come_to_its_end_releases_nothing(place: Place) -> None:
    """Interrupted, or a machine that fails: its status, no page, and the reference of before."""
    place.next("1.1")
    result = place.renew(training="130")

    assert result.returncode == 130
    assert not place.released() and not (place.stored / "what-changed.md").exists()


def test_a_measurement_of_fewer_seeds_is_not_stored(place: Place) -> None:
    """It would be a weaker reference from then on, silently."""
    place.next("1.1", seeds=4)
    result = place.renew(ACCEPT="in a hurry")

    assert result.returncode == 2
    assert "fewer seeds than the stored one" in result.stderr
    assert not place.released() and not (place.stored / "what-changed.md").exists()


def test_without_a_stored_reference_nothing_is_released(place: Place) -> None:
    """There is nothing to hold the new lock against; nor is it held against itself."""
    (place.stored / "reference.json").unlink()
    place.next("1.1")
    result = place.renew()

    assert result.returncode == 1
    assert "say make reference" in result.stderr
    assert place.done("trained") == 0
