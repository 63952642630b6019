"""A run in the image, replayed there by the image's id: from its record and from a bundle."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from tests.interpreter import Done, run

TRAIN = """
import os, numpy, seedlock
weights = numpy.random.rand(4)
seedlock.checkpoint("weights", weights)
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""


def seedlock(docker: str, folder: Path, *words: str, **variables: str) -> Done:
    """Call a command in a folder."""
    return run(
        [sys.executable, "-m", "seedlock", *words],
        cwd=folder,
        check=False,
        DOCKER=docker,
        PATH=os.environ["PATH"],
        **variables,
    )


def test_a_run_in_the_image_is_replayed_there(docker: str, image: str, tmp_path: Path) -> None:
    """The mounted source is found in the bundle; another image of the name is named."""
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    options = ["--record", "run.json", "--container", image, "--mount", ".:/code", "--source", "."]
    done = seedlock(
        docker, folder, "run", "--seed", "7", *options, "--", "python", "/code/train.py"
    )
    assert done.status == 0, done.err

    here = seedlock(docker, folder, "replay", "run.json")
    bundled = seedlock(docker, folder, "bundle", "run.json", "-o", "../run.tar.gz")
    content = json.loads((folder / "run.json").read_text())
    content["image"]["id"] = "sha256:" + "0" * 64
    (tmp_path / "other.json").write_text(json.dumps(content))
    shutil.rmtree(folder)
    again = seedlock(docker, tmp_path, "replay", "run.tar.gz")
    other = seedlock(docker, tmp_path, "replay", "other.json")

    assert bundled.status == 0, bundled.err
    for each in (here, again):
        assert each.status == 0, each.out + each.err
        assert "trace: 1 results equal" in each.out
    assert other.status == 78
    assert f"image: expected {image} sha256:{'0' * 64}, got {image} sha256:" in other.out


def test_a_program_that_the_image_holds(docker: str, image: str, tmp_path: Path) -> None:
    """Its source is the image: the record has none, a replay needs none, and here it is unknown."""
    words = ["python", "-c", TRAIN]
    options = ["--seed", "7", "--record", "run.json", "--container", image]
    done = seedlock(docker, tmp_path, "run", *options, "--", *words)
    assert done.status == 0, done.err
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["source"] is None
    assert record["reads"]["complete"] and record["reads"]["by"] == "mounts of the container"

    again = seedlock(docker, tmp_path, "replay", "run.json")
    here = seedlock(docker, tmp_path, "replay", "run.json", "--here")

    assert again.status == 0, again.out + again.err
    assert here.status == 78
    assert "source: expected what the image holds" in here.out


def test_a_sealed_run_is_replayed_sealed(docker: str, image: str, tmp_path: Path) -> None:
    """With the recorded limits and the data, found by its data.lock; another cache lacks it."""
    tmp_path.chmod(0o755)
    folder, sets = tmp_path / "a", tmp_path / "sets"
    for each in (folder, sets):
        each.mkdir(mode=0o755)
    (sets / "digits").write_text("0.5")
    train = TRAIN.replace("rand(4)", "rand(4) + float(open('/data/digits').read())")
    (folder / "train.py").write_text(train)
    cache = {"REPRO_DATA_CACHE": str(tmp_path / "cache")}
    added = ("data", "add", "digits", "file:../sets/digits", "--licence", "CC0-1.0")
    assert seedlock(docker, folder, *added, **cache).status == 0
    assert seedlock(docker, folder, "data", "fetch", **cache).status == 0
    options = ["--record", "run.json", "--container", image, "--sealed", "--data", "data.lock"]
    options += ["--limit", "memory=1g", "--limit", "processors=1", "--limit", "time=5m"]
    words = ("run", "--seed", "7", *options, "--", "python", "train.py")
    done = seedlock(docker, folder, *words, **cache)
    assert done.status == 0, done.err

    words = ("replay", "run.json")
    again = seedlock(docker, folder, *words, **cache)
    given = seedlock(docker, folder, *words, "--mount", f"{sets}/digits:/data/digits")
    unsealed = seedlock(docker, folder, *words, "--unsealed", **cache)
    absent = seedlock(docker, folder, *words, REPRO_DATA_CACHE=str(tmp_path / "other"))

    for done in (again, given):
        assert done.status == 0, done.out + done.err
        assert done.out.startswith("IDENTICAL") and "  sealed: " in done.out
    before = json.loads((folder / "run.json").read_text())
    made = json.loads((folder / "run-replay-1" / "record.json").read_text())
    for key in ("limits", "guarantees", "data"):
        assert made[key] == before[key]
    assert all(each["held"] for each in made["guarantees"].values())
    assert unsealed.status == 0 and "NOT SEALED" in unsealed.out, unsealed.out + unsealed.err
    assert absent.status == 78
    assert "data digits: expected sha256:" in absent.out and "got absent" in absent.out
