"""A framework with a bug in it, in the version of the lock: a reference model shows it.

scikit-learn's perceptron, which trains fastest, stands for all. The models, the stored reference
and the check are those of the lock.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.evaluation.reference.made_reference import SEEDLOCK
from tests.evaluation.reference.planted import Change, instead, plant
from tests.interpreter import REPOSITORY, Done, run

MODEL = "numpy-digits"

RATE = {
    "neural_network/_stochastic_optimizers.py": instead(
        "* np.sqrt(1 - self.beta_2**self.t)", "* 0.1 * np.sqrt(1 - self.beta_2**self.t)"
    )
}
"""Adam's rate, a tenth of what was asked for."""

SEEDS = 2
"""Of which one may miss the target."""


def corrupted(content: bytes) -> bytes:
    """Return the digits with another first pixel in their first image."""
    first, _, rest = gzip.decompress(content).partition(b"\n")
    assert first.startswith(b"0,")
    return gzip.compress(b"16," + first.removeprefix(b"0,") + b"\n" + rest, mtime=0)


def checked(folder: Path, changes: dict[str, Change], seeds: int) -> Done:
    """Hold scikit-learn with changed files against the stored reference."""
    place = folder / "planted"
    plant(place, "sklearn", "scikit_learn.libs", changes)
    words = [
        SEEDLOCK, "reference", "check", str(REPOSITORY / "version-lock" / "reference"),
        "--models", MODEL, "--seeds", str(seeds), "--work", str(folder / "work"),
    ]  # fmt: skip
    return run(words, stdin=None, cwd=None, check=False, PYTHONPATH=str(place))


def test_a_learning_rate_that_is_too_small(tmp_path: Path) -> None:
    """FAIL, with the first fit and its line: the target is missed. No version tells of a change."""
    done = checked(tmp_path, RATE, SEEDS)

    assert done.status == 1, done.err
    assert done.lines[0] == (
        "FAIL: numpy, numpy-digits, step 0, fit MLPClassifier.partial_fit at numpy_digits.py:18"
    )
    assert not [line for line in done.lines if line.startswith("package ")]
    assert "  2 of 2 runs missed the target, 0 had; one may" in done.lines


@pytest.mark.full
def test_a_corrupted_sample(tmp_path: Path) -> None:
    """One pixel of one image: the data is pinned, so that the run ends and the check says why."""
    done = checked(tmp_path, {"datasets/data/digits.csv.gz": corrupted}, 1)

    assert done.status == 1, done.err
    assert done.lines[0].startswith("FAIL: numpy, numpy-digits, ")
    [reason] = [line for line in done.lines if line.startswith("  seed 1 failed")]
    assert "OtherBytes: sklearn/datasets/data/digits.csv.gz has SHA-256" in reason
