"""The job that docs/slurm.md prints for Apptainer, given to a real Slurm by the page's commands.

What stands in Apptainer's place is in_place_of_apptainer.py, so that Slurm, the job, its array and
the program are real and the container is bubblewrap's. Apptainer itself was never run.
"""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from tests.handbook import shell
from tests.handbook.page import Block, name_of, read
from tests.interpreter import REPOSITORY
from tests.services.slurm import Slurm

PAGE = REPOSITORY / "docs" / "slurm.md"

TEST = "tests/services/test_apptainer_job.py::test_the_job_of_the_page"

STANDIN = Path(__file__).with_name("in_place_of_apptainer.py")

SEEDS = (11, 12)


def blocks() -> list[Block]:
    """Return the page's last block, which is named by this test, and the two that it rests on."""
    found = read(PAGE)
    (at,) = [place for place, block in enumerate(found) if TEST in block.seen_by]
    return [*found[at - 2 : at], replace(found[at], reason=None)]


def test_the_job_of_the_page(slurm: Slurm, bwrap: str, tmp_path: Path) -> None:
    """Each index trains under its own seed, which is in no argument, and writes into its folder."""
    place, tools = tmp_path / "page", tmp_path / "tools"
    (place / "seeds").mkdir(parents=True)
    tools.mkdir()
    for index, seed in enumerate(SEEDS):
        (place / "seeds" / f"{index}.env").write_text(f"REPRO_SEED={seed}\n")
        (place / "seeds" / f"{index}.env").chmod(0o600)
    prefixes = {"/usr", "/lib", "/lib64", "/etc", sys.prefix, sys.base_prefix, str(REPOSITORY)}
    there = ":".join(sorted(each for each in prefixes if Path(each).exists()))
    words = [sys.executable, "-IS", str(STANDIN), bwrap, there]
    (tools / "apptainer").write_text(
        f'#!/bin/sh\necho "$@" >>{shlex.quote(str(tools))}/said\nexec {shlex.join(words)} "$@"\n'
    )
    (tools / "apptainer").chmod(0o755)
    failure = shell.run(
        blocks(), tmp_path, SLURM_CONF=slurm.environ["SLURM_CONF"],
        PATH=f"{tools}:{slurm.environ['PATH']}",
        SBATCH_WAIT="1",  # or the page's end would be the job's
    )  # fmt: skip
    logs = "".join(each.read_text() for each in sorted(place.glob("slurm-*.out")))

    assert failure is None, failure.text(name_of(PAGE)) + logs
    said = (tools / "said").read_text()
    assert len(said.splitlines()) == len(SEEDS)
    assert not [seed for seed in SEEDS if f"REPRO_SEED={seed}" in said]
    assert "--nv" in said and "repro-base.sif python train.py" in said
    trained = set()
    for index, seed in enumerate(SEEDS):
        results = place / "results" / str(index)
        trained.add((results / "output" / "weights.npy").read_bytes())
        (report,) = [json.loads(each.read_text()) for each in (results / "reports").glob("*.json")]
        assert report["settings"]["seed"] == seed
    assert len(trained) == len(SEEDS)
