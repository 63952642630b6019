"""`seedlock check`: a limit that is not kept, and data that is not what was declared."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.evaluating.made_round import ANOTHER, PATH, SUBMISSION
from tests.interpreter import run

SEEDLOCK = (sys.executable, "-m", "seedlock")

READS = "import os\nopen(os.environ['REPRO_DATA'] + '/digits').read()\n" + ANOTHER


@pytest.fixture(name="mine")
def mine_fixture(bwrap: str, tmp_path: Path) -> Path:
    """The folder of a submission, with data beside it."""
    mine = tmp_path / "mine"
    for each in (tmp_path, mine):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)
    (tmp_path / "digits.txt").write_text("1 2 3")
    (mine / "submission.toml").write_text(
        SUBMISSION.format(name="mine", image="conference/repro-base")
    )
    (mine / "train.py").write_text(ANOTHER)
    return mine


def pinned(mine: Path) -> None:
    """Declare the data, and have the program read it."""
    words = ("data", "add", "digits", "mount:../digits.txt", "--licence", "CC0-1.0")
    run([*SEEDLOCK, *words], cwd=mine)
    text = (mine / "submission.toml").read_text()
    (mine / "submission.toml").write_text(f'data = "data.lock"\n{text}')
    (mine / "train.py").write_text(READS)


def runs(mine: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Check the submission; return the point of its runs, and all points by their names."""
    words = ["check", str(mine), "--engine", "process", "--output", str(mine.parent / "checked")]
    words += ["--accept", "memory", "--accept", "processors", "--json"]
    done = run([*SEEDLOCK, *words], check=False, PATH=PATH)
    assert done.out, done.err
    found = {each["name"]: each for each in json.loads(done.out)["points"]}
    assert done.status == (found["runs"]["status"] == "failed")
    return found["runs"], found


def test_a_limit_that_is_not_kept(mine: Path) -> None:
    """Which, and what to do about it; nothing is said of what depends on it."""
    with (mine / "submission.toml").open("a") as file:
        file.write('[limits]\ntime = "1s"\n')
    (mine / "train.py").write_text("import time; time.sleep(60)")

    found, points = runs(mine)

    assert (found["status"], found["said"]) == ("failed", "A-1 ended as limit")
    assert "it took more than 1 s" in found["details"]
    assert "ask for more in [limits]" in found["cure"]
    assert points["repeatable"]["status"] == "not looked at"
    assert "metrics" not in points


def test_data_that_was_declared(mine: Path) -> None:
    """It is there, and named."""
    pinned(mine)

    found, points = runs(mine)

    assert found["status"] == points["data"]["status"] == "passed"
    assert points["data"]["said"].startswith("digits; ")


def test_data_that_is_another(mine: Path) -> None:
    """Expected and got, and nothing is run."""
    pinned(mine)
    (mine.parent / "digits.txt").write_text("1 2 4")

    found, points = runs(mine)

    assert found["status"] == "failed"
    assert "digits: expected sha256:" in found["said"] and "got sha256:" in found["said"]
    assert "data" not in points
    assert not (mine.parent / "checked" / "A-1.json").exists()


def test_data_that_nobody_declared(mine: Path) -> None:
    """A sealed run does not see it."""
    (mine / "train.py").write_text(f"open({str(mine.parent / 'digits.txt')!r})\n{ANOTHER}")

    found, points = runs(mine)

    assert (found["status"], found["said"]) == ("failed", "A-1 ended as author-failure")
    assert any("No such file or directory" in each for each in found["details"])
    assert "data" not in points


def test_data_that_an_unsealed_run_read(mine: Path) -> None:
    """It ran well and is no pass: the conference's runs would not have that file."""
    strange = mine.parent / "digits.txt"
    (mine / "train.py").write_text(f"open({str(strange)!r})\n{ANOTHER}")
    words = ["check", str(mine), "--engine", "process", "--unsealed", "--json"]

    done = run([*SEEDLOCK, *words, "--output", str(mine.parent / "there")], check=False, PATH=PATH)

    point = {each["name"]: each for each in json.loads(done.out)["points"]}["data"]
    assert point["status"] == "not looked at"
    assert str(strange) in point["details"] and "seedlock data add" in point["cure"]
