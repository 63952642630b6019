"""One patch release of a framework in the place of another: a model that the change reaches FAILs,
at its first fit; one that it does not reach keeps its bits.

scikit-learn 1.9.1 divides the squares of its quadratic discriminant analysis by the number of a
class's samples, where 1.9.0 divided by one less (`discriminant_analysis.py`, `_solve_svd`). Under
both a program runs without a word; what it finds of a class of three samples is another share.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.evaluation.reference.made_reference import SEEDLOCK
from tests.evaluation.reference.released import locks, release
from tests.interpreter import REPOSITORY, Done, run

LOCKED = {"scikit-learn": "1.9.1", "keras": "3.15.1"}

IMPORTED = {"scikit-learn": "sklearn.discriminant_analysis", "keras": None}
"""What is compiled before all runs import it; Keras in one run only."""

SEEDS = 5

MODELS = f"""
format = 1
seeds = {SEEDS}
level = "portable"
[tasks.rare]
title = "what is found of a rare class"
metric = "recall"
direction = "max"
target = 0.1
[models.sklearn-rare]
framework = "scikit-learn"
task = "rare"
command = ["python", "rare.py"]
op_steps = 1
"""

PROGRAM = """
import numpy
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

import seedlock

sides = numpy.repeat([0, 1], [3, 40])
found = []
for epoch in range(1, 5):
    for _ in range(100):
        points = numpy.random.normal(size=(len(sides), 2))
        points[sides == 0, 0] += 2
        model = QuadraticDiscriminantAnalysis(priors=[0.5, 0.5], reg_param=0.01)
        model.fit(points, sides)
        others = numpy.random.normal(size=(50, 2)) + [2, 0]
        found.append((model.predict(others) == 0).mean())
    seedlock.log_metric("recall_by_epoch", float(numpy.mean(found)), step=epoch)
seedlock.log_metric("recall", float(numpy.mean(found)))
"""


@dataclass(frozen=True)
class Exchanged:
    """A model that was measured under the locked release.

    Attributes:
        folder: with its reference.toml, and the stored measurement.
    """

    folder: Path

    @property
    def stored(self) -> tuple[str, str]:
        """Options that name what was measured."""
        return "--stored", str(self.folder / "cpu")

    def run(
        self, command: str, package: str, version: str, *options: str, check: bool = True,
        reference: Path | None = None,
    ) -> Done:  # fmt: skip
        """Run `seedlock reference COMMAND` with a release of a package, on this model or on those
        of another folder."""
        name = f"{package}-{version}"
        place = self.folder / f"{name}-locks"
        pin = f"{package}=={LOCKED[package]}"
        if place.exists():
            shutil.rmtree(place)
        variables = locks(place, pin, f"{package}=={version}")
        if version != LOCKED[package]:
            variables["PYTHONPATH"] = str(release(name, IMPORTED[package]))
        words = [
            SEEDLOCK, "reference", command, str(reference or self.folder),
            "--work", str(self.folder / "work"), "--locks", str(place), *options,
        ]  # fmt: skip
        return run(words, stdin=None, cwd=None, check=check, **variables)


@pytest.fixture(scope="module", name="exchanged")
def exchanged_fixture(tmp_path_factory: pytest.TempPathFactory) -> Exchanged:
    """An empty measurement, and the model."""
    folder = tmp_path_factory.mktemp("exchanged")
    (folder / "models" / "tasks").mkdir(parents=True)
    (folder / "models" / "rare.py").write_text(PROGRAM)
    (folder / "reference.toml").write_text(MODELS)
    return Exchanged(folder)


@pytest.fixture(scope="module", name="measured")
def measured_fixture(exchanged: Exchanged) -> Exchanged:
    """The model, measured under the locked release."""
    output = str(exchanged.folder / "cpu")
    exchanged.run("measure", "scikit-learn", LOCKED["scikit-learn"], "--output", output)
    return exchanged


def told(done: Done) -> list[str]:
    """Return the packages that a check says were exchanged."""
    return [line for line in done.lines if line.startswith("package ")]


def test_a_patch_release_that_changes_a_model(measured: Exchanged, tmp_path: Path) -> None:
    """FAIL, by the distribution, with framework, model, step and operation of the first
    difference; the page about the lock has all that too."""
    new = str(tmp_path / "new")
    done = measured.run(
        "check", "scikit-learn", "1.9.0", *measured.stored, "--output", new, check=False
    )
    fit = "step 0, fit QuadraticDiscriminantAnalysis.fit at rare.py:14"

    assert done.status == 1, done.err
    assert done.lines[0] == f"FAIL: scikit-learn, sklearn-rare, {fit}"
    assert told(done) == ["package scikit-learn: 1.9.1 -> 1.9.0"]
    assert any(line.startswith("  value better by 0.04") for line in done.lines)
    assert "      at rare.py:14: model.fit(points, sides)" in done.lines

    page = tmp_path / "page.md"
    of_lock = ("--locks", str(measured.folder / "scikit-learn-1.9.0-locks"), "--output", str(page))
    words = [SEEDLOCK, "reference", "page", str(measured.folder), "--measured", new, *of_lock]
    assert run(words, stdin=None, cwd=None, check=False).status == 1
    assert "| scikit-learn | other version | 1.9.1 | 1.9.0 |" in page.read_text()
    assert "step 0, QuadraticDiscriminantAnalysis.fit, rare.py:14 |" in page.read_text()


@pytest.mark.full
def test_the_same_release_again(measured: Exchanged) -> None:
    """EQUAL BITS: nothing but the release makes the difference."""
    again = (*measured.stored, "--seeds", "1")
    done = measured.run("check", "scikit-learn", LOCKED["scikit-learn"], *again)

    assert done.lines[0] == "EQUAL BITS"
    assert told(done) == []


@pytest.mark.parametrize(
    ("package", "version", "model"),
    [
        ("scikit-learn", "1.9.0", "numpy-digits"),
        pytest.param("keras", "3.15.0", "keras-text", marks=pytest.mark.full),
    ],
)
def test_a_model_that_the_change_does_not_reach(
    exchanged: Exchanged, package: str, version: str, model: str
) -> None:
    """A model of the reference runs has the bits that are stored for the locks, and the other
    release is told."""
    done = exchanged.run(
        "check", package, version, "--models", model, "--seeds", "1",
        reference=REPOSITORY / "version-lock" / "reference",
    )  # fmt: skip

    assert done.lines[0] == "EQUAL BITS"
    assert told(done) == [f"package {package}: {LOCKED[package]} -> {version}"]


@pytest.mark.full
def test_a_release_that_changes_a_reference_model(exchanged: Exchanged) -> None:
    """Keras 3.15 multiplies a batch of sequences as one matrix, 3.14.1 sequence by sequence. The
    value has four equal digits, the bits are others: the operation is named."""
    done = exchanged.run(
        "check", "keras", "3.14.1", "--models", "keras-text", "--seeds", "1", check=False,
        reference=REPOSITORY / "version-lock" / "reference",
    )  # fmt: skip

    assert done.status == 1, done.err
    assert done.lines[0] == "FAIL: keras, keras-text, step 0, op Reshape at keras_text.py:37"
    assert told(done) == ["package keras: 3.15.1 -> 3.14.1"]
    assert any(line.startswith("      now: op BatchMatMulV2 ") for line in done.lines)


@pytest.mark.full
def test_a_release_that_no_lock_names() -> None:
    """A framework in another release than the lock's is refused before anything is trained."""
    keras = release("keras-3.15.0")
    done = run(
        [sys.executable, "-c", "import keras; print('trained')"], check=False,
        REPRO_SEED="1", PYTHONPATH=str(keras),
    )  # fmt: skip

    assert done.status == 78
    assert "keras is 3.15.0 and the lock names 3.15.1" in done.err
    assert done.out == ""
