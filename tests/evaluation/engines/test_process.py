"""This machine as an engine (tests/evaluation/evaluating has what it does for an evaluation)."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.interpreter import run

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
