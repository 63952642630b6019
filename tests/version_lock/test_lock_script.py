"""lock.sh replaces all locks or none. A stand-in for uv answers what the real one answered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = (
    "cpu.lock", "constraints.txt", "gpu.lock", "constraints-gpu.txt", "dev.lock", "programs.lock",
    "crate.lock",
)  # fmt: skip

# Answers with a file of $ANSWERS, named like the output that lock.sh asks for.
STAND_IN = """#!/bin/sh
set -eu
if [ "$1" = --version ]; then echo "uv $UV_VERSION"; exit 0; fi
previous=
for word; do
    if [ "$previous" = --output-file ]; then output=$word; fi
    previous=$word
done
cp "$ANSWERS/$(basename "$output")" "$output"
"""


class Place:
    """A copy of version-lock/ with a stand-in for uv."""

    def __init__(self, folder: Path, lock: Path) -> None:
        self.lock = folder / "version-lock"
        self.answers = folder / "answers"
        self.uv = folder / "uv"
        shutil.copytree(lock, self.lock)
        self.answers.mkdir()
        for name in ("gpu.lock", "dev.lock", "programs.lock", "crate.lock"):
            shutil.copy(lock / name, self.answers)
        # What uv itself resolves: torch on one machine, with the hash of the wheel that it saw.
        (self.answers / "resolved.lock").write_text(
            re.sub(
                r"^(torch==\S+) \\\n.*\n",
                r"\1 ; platform_machine == 'x86_64' and sys_platform == 'linux' \\" "\n",
                (lock / "cpu.lock").read_text(),
                flags=re.MULTILINE,
            )
        )
        self.uv.write_text(STAND_IN)
        self.uv.chmod(0o755)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        defaults = {"UV": str(self.uv), "UV_VERSION": "0.13.9", "ANSWERS": str(self.answers)}
        return subprocess.run(
            [self.lock / "lock.sh", *arguments],
            env=dict(os.environ) | defaults | variables,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.lock.iterdir() if path.is_file()}


@pytest.fixture
def place(tmp_path: Path, lock: Path) -> Place:
    return Place(tmp_path, lock)


def test_what_uv_resolves_becomes_the_committed_bytes(place: Place) -> None:
    before = place.contents()
    for name in RESULTS:
        (place.lock / name).unlink()
    result = place.run()
    assert result.returncode == 0, result.stderr
    assert place.contents() == before
    assert len(result.stderr.splitlines()) == 6


def test_check_is_content_with_the_committed_bytes(place: Place) -> None:
    result = place.run("--check")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("name", RESULTS)
def test_check_prints_a_difference_and_replaces_nothing(place: Place, name: str) -> None:
    with (place.lock / name).open("a") as file:
        file.write("# by hand\n")
    before = place.contents()
    result = place.run("--check")
    assert result.returncode == 1
    assert "-# by hand\n" in result.stdout
    assert "run 'make lock'" in result.stderr
    assert place.contents() == before


@pytest.mark.parametrize(
    "name", ["resolved.lock", "dev.lock", "programs.lock", "crate.lock", "gpu.lock"]
)
def test_nothing_is_replaced_when_one_resolution_fails(place: Place, name: str) -> None:
    for old in RESULTS:
        (place.lock / old).write_text("old\n")
    before = place.contents()
    (place.answers / name).unlink()
    result = place.run()
    assert result.returncode == 1
    assert "nothing was changed" in result.stderr.splitlines()[-1]
    assert place.contents() == before
    assert list(place.lock.glob(".lock.*")) == []


@pytest.mark.parametrize("answer", ["", "# a comment\n"])
def test_an_empty_answer_replaces_nothing(place: Place, answer: str) -> None:
    before = place.contents()
    (place.answers / "gpu.lock").write_text(answer)
    result = place.run()
    assert (result.returncode, place.contents()) == (1, before)
    assert "gpu.lock" in result.stderr.splitlines()[-1]


def test_another_torch_wheel_than_the_recorded_one_is_refused(place: Place) -> None:
    before = place.contents()
    recorded = (place.lock / "torch-cpu.sha256").read_text()
    (known,) = re.findall(r"^x86_64 (\S+)$", recorded, re.MULTILINE)
    answer = place.answers / "resolved.lock"
    answer.write_text(answer.read_text().replace(known, "0" * 64))
    result = place.run()
    assert result.returncode == 1
    assert "torch-cpu.sha256" in result.stderr.splitlines()[-1]
    assert place.contents() == before


def test_a_day_that_is_none_is_refused(place: Place) -> None:
    (place.lock / "day").write_text("yesterday\n")
    result = place.run()
    assert result.returncode == 1
    assert "holds 'yesterday', must hold one date such as" in result.stderr


def test_a_missing_uv_is_named(place: Place) -> None:
    result = place.run(UV="/nowhere/uv")
    assert result.returncode == 1
    assert result.stderr.startswith("lock.sh: no uv at '/nowhere/uv'; install dev.lock or set UV")


def test_another_uv_is_mentioned(place: Place) -> None:
    result = place.run("--check", UV_VERSION="0.1.0")
    assert result.returncode == 0
    assert "note: uv is 0.1.0, dev.in names 0.13.9" in result.stderr


def test_help_and_unknown_options(place: Place) -> None:
    shown = place.run("--help")
    assert shown.returncode == 0
    assert "--check" in shown.stdout
    for arguments in (["--chek"], ["--check", "twice"]):
        refused = place.run(*arguments)
        assert (refused.returncode, refused.stderr) == (2, shown.stdout)
