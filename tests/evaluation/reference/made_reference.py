"""Small reference models of NumPy, and locks of them, for the tests of reference runs.

The models take their optimizer and their data from packages, as large ones do: a lock that changes
exchanges these, and no line of a program.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.interpreter import Done, environment, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

HEAD = """
format = 1
seeds = {seeds}
level = "portable"
[tasks.line]
title = "points on two sides of a plane"
metric = "accuracy"
direction = "max"
target = 0.95
"""

MODEL = """
[models.{name}]
framework = "{framework}"
task = "line"
command = ["python", "{program}"]
op_steps = 1
"""

LINE = """
import {optimizer} as optimizer
import {data} as data
import numpy
import seedlock
from tasks.line import EPOCHS

points, sides = data.load()
random = numpy.random.default_rng()
weights = random.normal(size=points.shape[1])
for epoch in range(1, EPOCHS + 1):
    for i in random.permutation(len(points)):
        away = sides[i] - 1 / (1 + numpy.exp(-(points[i] @ weights).clip(-30, 30)))
        weights = optimizer.updated(weights, away * points[i])
    seedlock.checkpoint(f"epoch {{epoch}}", weights)
    accuracy = float(((points @ weights > 0) == sides).mean())
    seedlock.log_metric("accuracy_by_epoch", accuracy, step=epoch)
seedlock.log_metric("accuracy", accuracy)
"""

OPTIMIZER = """
def updated(weights, gradient, rate={rate}):
    return weights + rate * gradient
"""

DATA = """
import numpy

def load():
    points = numpy.sin(numpy.arange(160).reshape(40, 4) * 12.9898)
    sides = points @ [1.0, -1.0, 2.0, 0.5] > 0
    {corrupted}
    return points, sides
"""

CORRUPTED = "points[7] *= 1e6"
"""One sample that is not scaled as all others are."""

SOUND, HURT = "sound", "hurt"
"""The lock before, and one in which a patch release of each package hurts."""

PACKAGES: dict[str, dict[str, tuple[str, str]]] = {
    SOUND: {
        "plainopt": ("1.0.0", OPTIMIZER.format(rate=0.5)),
        "plaindata": ("1.0.0", DATA.format(corrupted="")),
        "tinyopt": ("1.0.0", OPTIMIZER.format(rate=0.5)),
        "tinydata": ("1.0.0", DATA.format(corrupted="")),
    },
    HURT: {
        "plainopt": ("1.0.0", OPTIMIZER.format(rate=0.5)),
        "plaindata": ("1.0.0", DATA.format(corrupted="")),
        "tinyopt": ("1.0.1", OPTIMIZER.format(rate=0.0005)),
        "tinydata": ("1.0.1", DATA.format(corrupted=CORRUPTED)),
    },
}
"""Version and code of each package under each lock. `plain...` never change."""

MODELS = {
    "plain-line": ("plain", LINE.format(optimizer="plainopt", data="plaindata")),
    "rate-line": ("tinyopt", LINE.format(optimizer="tinyopt", data="plaindata")),
    "sample-line": ("tinydata", LINE.format(optimizer="plainopt", data="tinydata")),
}
"""Framework and program of each model."""


@dataclass(frozen=True)
class Made:
    """A reference.toml with its programs, and two environments.

    Attributes:
        folder: with all that.
    """

    folder: Path

    @property
    def reference(self) -> Path:
        """The folder with reference.toml."""
        return self.folder / "reference"

    def words(self, command: str, lock: str, *options: str) -> list[str]:
        """Return a command of `seedlock reference` under a lock."""
        return [
            SEEDLOCK, "reference", command, str(self.reference), "--work",
            str(self.folder / "work"), "--locks", str(self.folder / lock), *options,
        ]  # fmt: skip

    def variables(self, lock: str) -> dict[str, str]:
        """Return what puts a lock's packages before all others."""
        return {"PYTHONPATH": str(self.folder / lock)}

    def reference_run(self, command: str, lock: str, *options: str, check: bool = True) -> Done:
        """Run `seedlock reference COMMAND` under a lock."""
        words = self.words(command, lock, *options)
        return run(words, stdin=None, cwd=None, check=check, **self.variables(lock))

    def begin(self, command: str, lock: str, *options: str) -> subprocess.Popen[str]:
        """Begin to run it; its lines come through `stderr`."""
        return subprocess.Popen(
            self.words(command, lock, *options), env=environment(**self.variables(lock)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip


def make(folder: Path, seeds: int, names: tuple[str, ...] = tuple(MODELS)) -> Made:
    """Make models, and the packages of both locks.

    Args:
        folder: there, empty.
        seeds: how many.
        names: of the models.
    """
    programs = folder / "reference" / "models"
    (programs / "tasks").mkdir(parents=True)
    (programs / "tasks" / "line.py").write_text("EPOCHS = 6\n")
    text = HEAD.format(seeds=seeds)
    for name in names:
        framework, program = MODELS[name]
        file = f"{name.replace('-', '_')}.py"
        (programs / file).write_text(program)
        text += MODEL.format(name=name, framework=framework, program=file)
    (folder / "reference" / "reference.toml").write_text(text)
    for lock, packages in PACKAGES.items():
        _make_lock(folder / lock, packages)
    return Made(folder)


def _make_lock(folder: Path, packages: dict[str, tuple[str, str]]) -> None:
    folder.mkdir()
    pins = []
    for name, (version, code) in packages.items():
        (folder / f"{name}.py").write_text(code)
        facts = folder / f"{name}-{version}.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        pins.append(f"{name}=={version}")
    (folder / "cpu.lock").write_text("\n".join(pins) + "\n")
    (folder / "programs.lock").write_text(f"numpy=={metadata.version('numpy')}\n")
