"""`seedlock check` on submissions that are built on the image."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.recording.record import load
from tests.image import engine
from tests.interpreter import Done, run

SUBMISSION = """
name = "mine"
command = ["python", "train.py"]
visibility = "private"
[image]
dockerfile = "Dockerfile"
[metrics.accuracy]
direction = "max"
[limits]
memory = "2g"
time = "2m"
"""

GOOD = """
import os, numpy, seedlock
weights = numpy.random.rand(10)
seedlock.log_metric("accuracy", weights.mean())
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""


@pytest.fixture
def folder(tmp_path: Path, image: str) -> Path:
    """A submission that is as it should be."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for each in (tmp_path, folder):
        each.chmod(0o755)  # the image's user reads it
    (folder / "submission.toml").write_text(SUBMISSION)
    (folder / "Dockerfile").write_text(f"FROM {image}\n")
    (folder / "train.py").write_text(GOOD)
    return folder


def checked(folder: Path) -> tuple[Done, dict[str, Any]]:
    """Run the command; return what it left and its result."""
    words = [sys.executable, "-m", "seedlock", "check", str(folder), "--json", "--output"]
    done = run([*words, str(folder.parent / "checked")], check=False, DOCKER=engine.client())
    return done, json.loads(done.out)


def status(result: dict[str, Any], name: str) -> str:
    """Return how a point stands."""
    return str(next(each["status"] for each in result["points"] if each["name"] == name))


def test_a_good_submission_is_ready(folder: Path) -> None:
    """Every point passed; a record of each run, sealed and complete; a page."""
    done, result = checked(folder)

    assert done.status == 0, done.err
    assert result["ready"]
    assert {each["status"] for each in result["points"]} == {"passed"}
    record = load(folder.parent / "checked" / "A-1.json")
    assert record["submission"]["name"] == "mine"
    assert record["guarantees"] and all(each["held"] for each in record["guarantees"].values())
    page = (folder.parent / "checked" / "check.html").read_text()
    assert "READY" in page and page.count("<rect") == 3
    assert [each["name"] for each in result["runs"]] == ["A-1", "A-2", "B-1"]
    steps = [line.partition(": ")[2] for line in done.err.splitlines() if " of 4: " in line]
    assert [each.partition(":")[0] for each in steps] == [f"{n} of 4" for n in range(1, 5)]


def test_a_seed_deaf_submission_is_found(folder: Path) -> None:
    """It repeats, and no seed reaches it."""
    program = GOOD.replace("import os,", "import seedlock\nwith seedlock.fixed():\n  import os,")
    (folder / "train.py").write_text(
        program.replace("numpy.random.rand", "numpy.random.RandomState(1).rand")
        .replace("\nweights", "\n  weights")
        .replace("\nseedlock.log", "\n  seedlock.log")
        .replace("\nnumpy.save", "\n  numpy.save")
    )

    done, result = checked(folder)

    assert done.status == 1, done.err
    assert status(result, "repeatable") == "passed"
    assert status(result, "hears the seed") == "failed"


def test_a_submission_that_does_not_repeat_is_found(folder: Path) -> None:
    """A clock reaches the result."""
    (folder / "train.py").write_text(
        GOOD.replace("rand(10)", "rand(10) + __import__('time').time()")
    )

    done, result = checked(folder)

    assert done.status == 1
    assert status(result, "repeatable") == "failed"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import seedlock", "accuracy is missing"),
        ("raise SystemExit('no data')", "no data"),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", "unreachable"),
    ],
)
def test_what_fails_is_named_with_a_cure(folder: Path, program: str, said: str) -> None:
    """The first run is enough; what depends on it is not looked at."""
    (folder / "train.py").write_text(program)

    done, result = checked(folder)

    assert done.status == 1
    runs = next(each for each in result["points"] if each["name"] == "runs")
    assert runs["status"] == "failed" and runs["cure"]
    assert any(said in each for each in runs["details"])
    assert status(result, "repeatable") == "not looked at"


def test_another_base_is_no_submission(folder: Path) -> None:
    """The conference's locks are not in it."""
    (folder / "Dockerfile").write_text(f"FROM {engine.base()}\n")

    done, result = checked(folder)

    assert done.status == 1
    assert status(result, "image") == "failed"


def test_a_dockerfile_that_does_not_build(folder: Path) -> None:
    """The end of what the engine printed."""
    with (folder / "Dockerfile").open("a") as file:
        file.write("RUN echo broken-here && false\n")

    done, result = checked(folder)

    assert done.status == 1
    image = next(each for each in result["points"] if each["name"] == "image")
    assert any("broken-here" in each for each in image["details"])
