"""The small round of `make demo`: its three submissions are what they are said to be, and it comes
to its end with all commands in their order."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.evaluation.evaluating.made_round import PATH
from tests.interpreter import REPOSITORY, Done, run

EXAMPLE = REPOSITORY / "examples" / "round"

QUICK = """
import os, numpy, seedlock
weights = numpy.random.rand(10)
seedlock.log_metric("accuracy", float(weights.mean()))
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""
"""In place of the good one, which takes PyTorch's start for each seed."""


def trained(name: str, seed: int, folder: Path) -> Done:
    """Run a submission under a seed."""
    (folder / str(seed)).mkdir()
    program = str(EXAMPLE / "submissions" / name / "train.py")
    return run(
        [sys.executable, program], check=False, REPRO_SEED=str(seed), OMP_NUM_THREADS="1",
        REPRO_OUTPUT=str(folder / str(seed)),
    )  # fmt: skip


def test_the_fragile_one_fails_under_some_seeds(tmp_path: Path) -> None:
    """It diverges for its initial weights' sake, and for those of the check's seeds it does not."""
    ends = {seed: trained("fragile", seed, tmp_path) for seed in (7, 8, 1023, 1048)}

    assert [ends[seed].status for seed in (7, 8)] == [0, 0]
    for seed in (1023, 1048):
        assert ends[seed].status == 1
        assert "diverged at step" in ends[seed].err


def test_the_deaf_one_is_deaf(tmp_path: Path) -> None:
    """Its own generator hears nobody: two seeds give the same bits."""
    for seed in (7, 8):
        assert trained("deaf", seed, tmp_path).status == 0

    one, other = ((tmp_path / seed / "outer.npy").read_bytes() for seed in ("7", "8"))
    assert one == other


def test_the_good_one_is_some_good(tmp_path: Path) -> None:
    """Better than tossing a coin. That it repeats and hears the seed is what the demo checks."""
    assert trained("good", 7, tmp_path).status == 0

    (line,) = (tmp_path / "7" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["value"] > 0.7


@pytest.fixture(scope="module", name="demo")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    folder = tmp_path_factory.mktemp("demo")
    for each in (folder, folder.parent):
        each.chmod(0o755)  # a sealed run's user reads it
    example = folder / "example"
    shutil.copytree(EXAMPLE, example)
    text = (example / "policy.toml").read_text()
    (example / "policy.toml").write_text(text.replace("seeds = 6", "seeds = 2"))
    (example / "submissions" / "good" / "train.py").write_text(QUICK)
    program = str(REPOSITORY / "examples" / "demo_round.py")
    words = [sys.executable, program, str(folder / "made"), "--example", str(example)]
    return run(words, check=False, PATH=PATH), folder / "made"


def test_the_round_comes_to_its_end(demo: tuple[Done, Path]) -> None:
    """Whatever seeds were drawn: the deaf one is refused, the board shown, the export proven as far
    as such a round can be, and it says what it does not prove."""
    done, made = demo

    assert done.status == 0, done.out + done.err
    assert "FAIL hears the seed: seeds 7 and 8 give the same bits" in done.out
    assert "$ seedlock board verify" in done.out and "demo: CONDITIONAL" in done.out
    assert "wrong" not in done.out
    assert "What this round does not prove" in done.out
    assert (made / "page" / "index.html").as_uri() in done.out
    assert not (made / "round" / "submissions" / "deaf").exists()


def test_only_a_folder_of_the_demos_own_is_replaced(tmp_path: Path) -> None:
    """What somebody else put there stays."""
    (tmp_path / "thesis.txt").touch()

    done = run([sys.executable, str(REPOSITORY / "examples" / "demo_round.py"), str(tmp_path)],
               check=False)  # fmt: skip

    assert done.status == 2
    assert (tmp_path / "thesis.txt").exists()
