"""Units on this machine, one worker each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from seedlock.evaluation.engines.base import Unit, write_unit
from seedlock.evaluation.recording.record import load
from tests.evaluation.evaluating.made_round import PATH
from tests.interpreter import run

CARRIED_OUT = """
import os, pathlib, sys, threading
from seedlock.evaluation.engines.base import read_unit
from seedlock.evaluation.engines.process import ProcessEngine
from json import loads
pathlib.Path("json.py").write_text("raise SystemExit('the current folder was imported from')")
ended = threading.Event()
thread = threading.Thread(target=ended.wait)
if sys.argv[2] == "threads":
    thread.start()
engine = ProcessEngine(1)
try:
    engine.start(read_unit(pathlib.Path(sys.argv[1])))
    while not (over := engine.poll(1.0)):
        pass
    print([each.exit_status for each in over])
finally:
    engine.close()
    ended.set()
"""


@pytest.mark.parametrize("beside", ["threads", "nothing"])
def test_units_run_whatever_threads_the_caller_has(unit: Unit, tmp_path: Path, beside: str) -> None:
    """NVIDIA's library leaves threads in whoever asks it how many GPUs there are."""
    path = write_unit(tmp_path / "units", unit)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    done = run(
        [sys.executable, "-c", CARRIED_OUT, str(path), beside], stdin=None, cwd=elsewhere, PATH=PATH
    )

    assert (done.out, done.err) == ("[0]\n", "")
    assert load(Path(unit.record))["outcome"]["class"] == "done"
