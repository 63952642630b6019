"""Small recorded programs for the tests of replays and bundles."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.interpreter import Done, run

CLEAN = """\
import os, numpy, seedlock
weights = numpy.zeros(4)
for step in range(3):
    weights = weights + numpy.random.rand(4)
    seedlock.checkpoint("weights", weights)
    seedlock.log_metric("loss", weights.sum(), step)
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""

DRIFTING = """\
import os, numpy, seedlock
weights = numpy.zeros(4)
for step in range(3):
    weights = weights + numpy.random.rand(4)
    if step == 1:
        weights = weights + numpy.frombuffer(os.urandom(4), "u1") * 1e-6
    seedlock.checkpoint("weights", weights)
    seedlock.log_metric("loss", weights.sum(), step)
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""
"""As CLEAN, but for what comes in from the system in the second step."""


def seedlock(folder: Path, *words: str, **variables: str) -> Done:
    """Call a command in a folder."""
    return run([sys.executable, "-m", "seedlock", *words], cwd=folder, check=False, **variables)


def record(folder: Path, program: str = CLEAN, *options: str) -> Path:
    """Write a program into a new folder and record a run of it; return its record."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(program)
    words = ("run", "--seed", "7", "--record", "run.json", *options, "--")
    done = seedlock(folder, *words, sys.executable, "train.py")
    assert (folder / "run.json").exists(), done.err
    return folder / "run.json"
