"""`seedlock check --engine process`: without an image, in this environment (the image's tests have
the rest)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.canonical import now
from tests.evaluation.evaluating.made_round import ANOTHER, PATH, POLICY, SUBMISSION
from tests.interpreter import Done, run

SEALED = ("--accept", "memory", "--accept", "processors")

DEAF = """
import seedlock
seedlock.log_metric("loss", 0.5)
"""


STAMPED = (
    DEAF
    + """
import json, os, time
with open(os.environ["REPRO_OUTPUT"] + "/log.json", "w") as file:
    json.dump({"written": "a file", "created_at": time.time()}, file)
"""
)

UNSTEADY = """
import os, seedlock
seedlock.log_metric("loss", float(os.urandom(1)[0]) + os.getpid())
"""


def checked(
    folder: Path, program: str, *options: str, more: str = ""
) -> tuple[Done, dict[str, Any]]:
    """Check a submission; return what the command left and its result."""
    folder.chmod(0o755)
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "submission.toml").write_text(
        SUBMISSION.format(name="mine", image="conference/repro-base") + more
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


def test_a_round_is_held_against_before_anything_is_run(tmp_path: Path) -> None:
    """What it would refuse is named with its cure, in the words of submission.toml."""
    policy = POLICY.format(seeds=2, retries=0).replace("loss", "accuracy")
    (tmp_path / "policy.toml").write_text(policy)
    limits = '[limits]\ntime = "1h30m"\nmemory = "1g"\n'

    done, result = checked(
        tmp_path, ANOTHER, "--unsealed", "--policy", str(tmp_path / "policy.toml"), more=limits
    )

    assert done.status == 1 and result["verdict"] == "NOT READY"
    handed, point, *others = result["points"]
    assert handed["name"] == "handed in"
    assert point["details"] == [
        "metric accuracy is missing, the policy says min",
        "limit time is 1h30m, the policy allows 2m",
    ]
    assert "[metrics.NAME]" in point["cure"] and "[limits]" in point["cure"]
    assert {each["status"] for each in others} == {"not looked at"}
    assert result["runs"] == [] and not (tmp_path / "checked" / "A-1").exists()


def test_the_runs_have_what_the_round_gives(tmp_path: Path) -> None:
    """Its level, and its limits where the submission's own are no smaller."""
    policy = tmp_path / "policy.toml"
    policy.write_text('level = "portable"\n' + POLICY.format(seeds=2, retries=0))
    (tmp_path / "round").mkdir()
    steps.open_round(tmp_path / "round", policy, now())
    opening = tmp_path / "downloaded-opening.json"
    (tmp_path / "round" / "opening.json").rename(opening)

    done, result = checked(tmp_path, ANOTHER, "--unsealed", "--policy", str(opening))

    assert done.status == 0, done.err
    assert points(result)["policy"] == "passed"
    assert result["policy"]["round"] == "sample"
    record = json.loads((tmp_path / "checked" / "A-1.json").read_text())
    assert (record["level"], record["limits"]) == ("portable", {"seconds": 120.0})


@pytest.mark.parametrize("held", [False, True], ids=["alone", "against a round"])
def test_a_limit_that_is_none_names_the_file(tmp_path: Path, held: bool) -> None:
    """With what is allowed; nothing is started."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.format(seeds=2, retries=0))
    text = SUBMISSION.format(name="mine", image="x") + '[limits]\nmemory = "lots"\n'
    (tmp_path / "submission.toml").write_text(text)
    words = ["check", str(tmp_path), "--engine", "process"]

    done = run(
        [sys.executable, "-m", "seedlock", *words, *(["--policy", str(policy)] if held else [])],
        check=False,
    )

    assert done.status == 78
    assert f"{tmp_path}/submission.toml: [limits]: limit memory is 'lots'; allowed: " in done.err
    assert not (tmp_path / "checked").exists()


@pytest.mark.parametrize("content", [None, "{}", "seeds = ", '{"format": "seedlock-round-draw"}'])
def test_what_is_no_policy_is_refused(tmp_path: Path, content: str | None) -> None:
    """With status 78 and the file's name; nothing is started."""
    path = tmp_path / "policy.toml"
    if content is not None:
        path.write_text(content)
    (tmp_path / "submission.toml").write_text(SUBMISSION.format(name="mine", image="x"))
    words = ["check", str(tmp_path), "--engine", "process", "--policy", str(path)]

    done = run([sys.executable, "-m", "seedlock", *words], check=False)

    assert done.status == 78 and "policy.toml" in done.err
    assert "Traceback" not in done.err


def test_what_is_in_an_image_is_sealed_by_its_engine(tmp_path: Path) -> None:
    """--unsealed is for programs in this environment."""
    words = [sys.executable, "-m", "seedlock", "check", str(tmp_path), "--unsealed"]

    done = run(words, check=False, PATH=os.environ["PATH"])

    assert done.status == 2
    assert "--engine process only" in done.err


def test_a_time_in_a_file_is_no_sign_of_the_seed(tmp_path: Path) -> None:
    """It differs between all runs, which repeat all the same: the submission is as deaf."""
    done, result = checked(tmp_path, STAMPED, "--unsealed")

    found = points(result)
    assert (done.status, found["repeatable"], found["hears the seed"]) == (1, "passed", "failed")


def test_what_does_not_repeat_is_not_said_to_hear_the_seed(tmp_path: Path) -> None:
    """Chance alone makes the run under another seed another one."""
    done, result = checked(tmp_path, UNSTEADY, "--unsealed")

    found = points(result)
    assert (done.status, found["repeatable"]) == (1, "failed")
    assert found["hears the seed"] == "not looked at"
