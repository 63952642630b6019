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


def seedlock(docker: str, folder: Path, *words: str) -> Done:
    """Call a command in a folder."""
    return run(
        [sys.executable, "-m", "seedlock", *words],
        cwd=folder,
        check=False,
        DOCKER=docker,
        PATH=os.environ["PATH"],
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
    assert json.loads((tmp_path / "run.json").read_text())["source"] is None

    again = seedlock(docker, tmp_path, "replay", "run.json")
    here = seedlock(docker, tmp_path, "replay", "run.json", "--here")

    assert again.status == 0, again.out + again.err
    assert here.status == 78
    assert "source: expected what the image holds" in here.out
