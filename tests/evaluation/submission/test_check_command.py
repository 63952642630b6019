"""`seedlock check --engine process`: without an image, in this environment (the image's tests have
the rest)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.evaluating.made_round import ANOTHER, PATH, SUBMISSION
from tests.interpreter import Done, run

SEALED = ("--accept", "memory", "--accept", "processors")

DEAF = """
import seedlock
seedlock.log_metric("loss", 0.5)
"""


def checked(folder: Path, program: str, *options: str) -> tuple[Done, dict[str, Any]]:
    """Check a submission; return what the command left and its result."""
    folder.chmod(0o755)
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "submission.toml").write_text(
        SUBMISSION.format(name="mine", image="conference/repro-base")
    )
    (folder / "mine" / "train.py").write_text(program)
    words = [sys.executable, "-m", "seedlock", "check", str(folder / "mine"), "--engine", "process"]
    output = str(folder / "checked")
    done = run([*words, "--output", output, "--json", *options], check=False, PATH=PATH)
    return done, json.loads(done.out)


def points(result: dict[str, Any]) -> dict[str, str]:
    """Return how each point stands."""
    return {each["name"]: each["status"] for each in result["points"]}


@pytest.mark.parametrize("options", [SEALED, ("--unsealed",)])
def test_without_an_image_nobody_is_called_ready(
    bwrap: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """All else is looked at, and what was not says so."""
    done, result = checked(tmp_path, ANOTHER, *options)

    assert done.status == 0, done.err
    assert not result["ready"] and result["verdict"].startswith("NO FAULT FOUND")
    found = points(result)
    assert found.pop("image") == "not looked at"
    assert found.pop("sealed") == ("passed" if options == SEALED else "not looked at")
    assert set(found) == {"handed in", "runs", "metrics", "data", "repeatable", "hears the seed"}
    assert set(found.values()) == {"passed"}
    page = (tmp_path / "checked" / "check.html").read_text()
    assert "NO FAULT FOUND" in page and "NOT READY" not in page


def test_a_seed_deaf_submission_is_refused(tmp_path: Path) -> None:
    """With status 1 and the line that says so; what an earlier run left there is named."""
    left = tmp_path / "mine" / "results"
    left.mkdir(parents=True)
    (left / "weights.bin").write_bytes(b"1234")

    done, result = checked(tmp_path, DEAF, "--unsealed")

    assert done.status == 1
    (handed,) = [each for each in result["points"] if each["name"] == "handed in"]
    assert (handed["status"], handed["said"].split(",")[0]) == ("passed", "3 files")
    assert handed["details"] == ["results/: looks like results; 1 files, 4 bytes"]
    assert ".gitignore" in handed["cure"]
    assert result["verdict"] == "NOT READY"
    assert [name for name, how in points(result).items() if how == "failed"] == ["hears the seed"]


def test_what_is_in_an_image_is_sealed_by_its_engine(tmp_path: Path) -> None:
    """--unsealed is for programs in this environment."""
    words = [sys.executable, "-m", "seedlock", "check", str(tmp_path), "--unsealed"]

    done = run(words, check=False, PATH=os.environ["PATH"])

    assert done.status == 2
    assert "--engine process only" in done.err
