"""This machine as an engine (tests/evaluation/evaluating has what it does for an evaluation)."""

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


STARTED_IN_VAIN = """
import os, signal, sys, time
from seedlock.evaluation.engines.base import Unit
from seedlock.evaluation.engines.process import ProcessEngine

unit = Unit("sample", "", "", "mine", sys.argv[1], 0, 1, 7, "strict", {}, sys.argv[1] + "/0-1",
            sys.argv[1] + "/0-1.json")
engine = ProcessEngine(1)
os.kill(engine._pid, signal.SIGSTOP)
if os.fork() == 0:
    time.sleep(0.5)
    os.kill(engine._pid, signal.SIGKILL)
    os._exit(0)
try:
    engine.start(unit)
except OSError as problem:
    print(problem)
print(engine.poll())
engine.close()
"""


def test_a_unit_that_could_not_be_started_does_not_end(tmp_path: Path) -> None:
    """As where the process that starts them is killed, or may start no more processes: whoever
    asked has taken the unit back."""
    done = run([sys.executable, "-c", STARTED_IN_VAIN, str(tmp_path)])

    assert done.out == "the process that starts the runs is gone\n[]\n"
