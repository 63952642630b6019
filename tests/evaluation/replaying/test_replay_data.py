"""A replay with declared data: found through data.lock, --data or what the run was given."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.recording.record import load
from tests.evaluation.replaying.replays import seedlock

TRAIN = """\
import os, numpy, seedlock
bias = float(open(os.environ["REPRO_DATA"] + "/digits").read())
seedlock.checkpoint("weights", numpy.random.rand(4) + bias)
seedlock.log_metric("loss", numpy.random.rand() + bias)
"""


@pytest.fixture(name="made", scope="module")
def made_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recorded run of a program that reads a set, and the cache beside it."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "a").mkdir()
    (folder / "digits.txt").write_text("0.5")
    cache = str(folder / "cache")
    words = ("data", "add", "digits", "file:../digits.txt", "--licence", "CC0-1.0")
    assert seedlock(folder / "a", *words).status == 0
    fetched = seedlock(folder / "a", "data", "fetch", REPRO_DATA_CACHE=cache)
    assert fetched.status == 0, fetched.err
    (folder / "a" / "train.py").write_text(TRAIN)
    options = ("--data", "data.lock", "--metric", "loss:min", "--", sys.executable, "train.py")
    ran = ("run", "--seed", "7", "--record", "run.json", *options)
    done = seedlock(folder / "a", *ran, REPRO_DATA_CACHE=cache)
    path = folder / "a" / "run.json"
    assert done.status == 0, done.err
    assert load(path)["data"][0]["verified_after"]
    return folder


@pytest.fixture(name="folder")
def folder_fixture(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "copy", symlinks=True)) / "a"


def replay(folder: Path, *options: str, **variables: str) -> tuple[int, dict[str, Any]]:
    """Replay with the cache beside the folder; return status and result."""
    variables.setdefault("REPRO_DATA_CACHE", str(folder.parent / "cache"))
    done = seedlock(folder, "replay", "run.json", "--json", *options, **variables)
    assert done.out, done.err
    return done.status, json.loads(done.out)


def test_the_data_lock_in_the_source_finds_it(folder: Path) -> None:
    """The links that the run had are gone; the replay's record has the set, verified."""
    shutil.rmtree(folder / "run" / "data")

    status, result = replay(folder)

    assert (status, result["verdict"]) == (0, "IDENTICAL")
    again = load(folder / "run-replay-1" / "record.json")
    assert again["data"] == load(folder / "run.json")["data"]
    assert again["data"][0]["verified_before"] and again["data"][0]["verified_after"]


def test_another_content_is_named_and_nothing_is_started(folder: Path) -> None:
    """In the cache, or where --data says; with --anyway the result is another."""
    shutil.rmtree(folder / "run" / "data")
    (cached,) = (folder.parent / "cache" / "sha256").iterdir()
    cached.chmod(0o644)
    cached.write_text("0.75")
    sets = folder.parent / "sets"
    sets.mkdir()
    (sets / "digits").write_text("0.25")

    for options in ((), ("--data", str(sets))):
        status, result = replay(folder, *options)
        assert (status, result["verdict"]) == (78, "NOT MATCHING")
        (mismatch,) = result["mismatches"]
        assert mismatch["what"] == "data digits"
        assert mismatch["expected"] == load(folder / "run.json")["data"][0]["sha256"]
        assert mismatch["got"].startswith("sha256:")
        assert not (folder / "run-replay-1").exists()
    status, result = replay(folder, "--data", str(sets), "--anyway")

    assert (status, result["verdict"]) == (1, "DIFFERENT")
    assert load(folder / "run-replay-1" / "record.json")["data"][0]["size"] == 4


def test_what_a_data_lock_names_is_not_given_unless_it_is_what_was_recorded(folder: Path) -> None:
    """A stranger's data.lock could name any file of this machine, and --anyway is soon said."""
    shutil.rmtree(folder / "run" / "data")
    secret = folder.parent / "secret"
    secret.write_text("0.125")
    lock = folder / "data.lock"
    lock.write_text(lock.read_text().replace("file:../digits.txt", f"mount:{secret}"))

    status, result = replay(folder, "--anyway")

    assert status == 1
    assert "data digits" in [each["what"] for each in result["mismatches"]]
    printed = (folder / "run-replay-1" / "run" / "stderr.txt").read_text()
    assert "REPRO_DATA" in printed or "digits" in printed
    assert load(folder / "run-replay-1" / "record.json")["data"] == []


@pytest.mark.parametrize("kind", ["folder", "lock"])
def test_data_names_it(folder: Path, kind: str) -> None:
    """A folder of sets, or another data.lock; an empty cache does not matter to the first."""
    shutil.rmtree(folder / "run" / "data")
    variables = {}
    given = folder.parent / "sets"
    given.mkdir()
    if kind == "folder":
        shutil.copy(folder.parent / "digits.txt", given / "digits")
        variables = {"REPRO_DATA_CACHE": str(folder.parent / "empty")}
        assert replay(folder, **variables)[0] == 78
    else:
        text = (folder / "data.lock").read_text()
        given = given / "other.lock"
        given.write_text(text)

    status, result = replay(folder, "--data", str(given), **variables)

    assert (status, result["verdict"]) == (0, "IDENTICAL")
