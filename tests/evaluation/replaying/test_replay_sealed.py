"""Replays of sealed runs in bubblewrap; tests/image/test_replay.py has containers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedlock.evaluation.recording.record import load
from tests.evaluation.replaying.replays import record, seedlock

TRAIN = """\
import numpy, os, seedlock
seedlock.log_metric("loss", numpy.random.rand() + os.path.exists({secret!r}))
"""

SEALED = (
    "--sealed", "--accept", "memory", "--accept", "processors", "--limit", "processes=200",
    "--limit", "time=5m", "--metric", "loss:min",
)  # fmt: skip


@pytest.fixture(name="folder")
def folder_fixture(bwrap: str, tmp_path: Path) -> Path:
    """A folder with a record of a sealed run that would see a file if it were not sealed."""
    tmp_path.chmod(0o755)
    (tmp_path / "secret").touch()
    (tmp_path / "a").mkdir(mode=0o755)
    path = record(tmp_path / "a", TRAIN.format(secret=str(tmp_path / "secret")), *SEALED)
    assert load(path)["outcome"]["class"] == "done", load(path)["outcome"]
    return path.parent


def test_a_sealed_run_is_replayed_sealed(folder: Path) -> None:
    """Within the recorded limits, without what it did without; the verdict says so. Unsealed it
    sees more, and the verdict says that too."""
    sealed = seedlock(folder, "replay", "run.json")
    unsealed = seedlock(folder, "replay", "run.json", "--unsealed")

    assert sealed.status == 0, sealed.out + sealed.err
    assert sealed.lines[0].startswith("IDENTICAL") and "  sealed: " in sealed.out
    before, again = load(folder / "run.json"), load(folder / "run-replay-1" / "record.json")
    assert again["limits"] == before["limits"] and before["limits"]["processes"] == 200
    assert again["guarantees"] == before["guarantees"]
    assert unsealed.status == 1
    assert "NOT SEALED: the recorded run was" in unsealed.out
    made = load(folder / "run-replay-2" / "record.json")
    assert made["guarantees"] is None and made["limits"] == {"seconds": 300.0}
    told = json.loads((folder / "run-replay-2" / "replay.json").read_text())
    assert told["sealed"] is False


@pytest.mark.parametrize(
    ("key", "value"), [("memory", 0), ("processes", "many"), ("seconds", 1e300), ("disk", None)]
)
def test_limits_that_can_not_be_start_nothing(folder: Path, key: str, value: object) -> None:
    """One clear line."""
    content = json.loads((folder / "run.json").read_text())
    content["limits"][key] = value
    (folder / "run.json").write_text(json.dumps(content))

    done = seedlock(folder, "replay", "run.json")

    assert done.status == 78
    assert f"limit of {key}" in done.err and "Traceback" not in done.err
    assert not (folder / "run-replay-1").exists()


def test_a_promise_that_is_not_kept_here_stops_it(folder: Path) -> None:
    """The recorded run had it, as in a container; --accept goes on, and the result names it."""
    content = json.loads((folder / "run.json").read_text())
    content["guarantees"]["memory"] = {"held": True, "by": "docker", "note": ""}
    (folder / "run.json").write_text(json.dumps(content))

    refused = seedlock(folder, "replay", "run.json")
    done = seedlock(folder, "replay", "run.json", "--accept", "memory", "--output", "../again")

    assert refused.status == 78 and "does not keep memory" in refused.err
    assert done.status == 0, done.out + done.err
    assert "promise memory of the seal was kept in the recorded run, not in this" in done.out


def test_options_of_the_seal_are_for_sealed_runs(tmp_path: Path) -> None:
    """One line."""
    record(tmp_path / "a")
    for options in (["--unsealed"], ["--accept", "memory"]):
        done = seedlock(tmp_path / "a", "replay", "run.json", *options)

        assert done.status == 2 and "was not sealed" in done.err
