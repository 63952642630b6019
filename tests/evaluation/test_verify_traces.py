"""seedlock verify by traces, on real programs.

Needs what writes traces (seedlock/trace.py) and what reads them (evaluation/divergence.py).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.interpreter import REPOSITORY, Done, run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")

LOOP = """
import random
import seedlock
value = 0.0
for step in range(50):
    value += random.random()
    BODY
    seedlock.checkpoint("value", value)
"""


def verify(folder: Path, code: str, *options: str, **variables: str) -> tuple[Done, dict[str, Any]]:
    """Verify a program; return what was printed and the result."""
    (folder / "train.py").write_text(code)
    done = run(
        [SEEDLOCK, "verify", "--output", "runs", *options, "--", sys.executable, "train.py"],
        cwd=folder, check=False, **variables,
    )  # fmt: skip
    return done, json.loads((folder / "runs" / "verify.json").read_text())


def test_checkpoints_are_compared(tmp_path: Path) -> None:
    """A program without any file is judged by what it hands to seedlock.checkpoint."""
    done, result = verify(tmp_path, LOOP.replace("BODY", "pass"))

    assert done.status == 0, done.out + done.err
    assert result["comparisons"][0]["results"] == 50
    assert result["comparisons"][0]["divergence"] is None


def test_a_clock_in_a_loop(tmp_path: Path) -> None:
    """The first checkpoint that differs is named with its line, and the command that shows more;
    of the seed nothing is said."""
    body = "value += __import__('time').time_ns() % 1000 if step == 30 else 0"

    done, result = verify(tmp_path, LOOP.replace("BODY", body), "--no-bisect")

    found = result["comparisons"][0]["result"]
    assert done.status == 1
    assert found["at"] == "train.py:8"
    assert found["kind"] == "checkpoint"
    assert "train.py:8" in done.out
    assert "next    seedlock diff runs/A-1 runs/A-2" in done.lines
    assert result["verdicts"] == {"repeatable": "NOT REPEATABLE", "seed": "UNKNOWN"}


def test_a_seed_by_a_clock(tmp_path: Path) -> None:
    """The line that seeds is named, and no run is spent on operations."""
    code = LOOP.replace("value = 0.0", "import time; random.seed(time.time_ns()); value = 0.0")

    done, result = verify(tmp_path, code.replace("BODY", "pass"))

    assert done.status == 1
    assert result["comparisons"][0]["divergence"]["kind"] == "seed"
    assert result["bisected"] is None
    assert any("train.py:4" in each and "clock" in each for each in result["advice"])


def test_a_deaf_loop(tmp_path: Path) -> None:
    """Seeds taken as written: the results are equal, whatever the seed is."""
    code = LOOP.replace("value = 0.0", "random.seed(3); value = 0.0").replace("BODY", "pass")

    done, result = verify(tmp_path, code, REPRO_USER_SEEDS="keep")

    assert done.status == 3
    assert "train.py:4: random.seed(3)" in result["deaf_because"][0]


def test_what_is_drawn_without_effect(tmp_path: Path) -> None:
    """Names of temporary files differ from run to run and harm nothing."""
    body = "__import__('tempfile').TemporaryFile().close(); __import__('uuid').uuid4()"

    done, _ = verify(tmp_path, LOOP.replace("BODY", body))

    assert done.status == 0, done.out


POOL = """
import json, multiprocessing, os, random

def draw(index):
    return random.random()

if __name__ == "__main__":
    with multiprocessing.Pool(3) as pool:
        drawn = pool.map(draw, range(20), chunksize=1)
    with open(os.environ["REPRO_OUTPUT"] + "/drawn.json", "w") as file:
        json.dump(drawn, file)
"""


def test_a_pool_that_ends_its_workers(tmp_path: Path) -> None:
    """Pools terminate their workers: which worker did which task, and that none came to its own
    end, is no difference."""
    done, result = verify(tmp_path, POOL)

    assert done.status == 0, done.out
    assert result["comparisons"][0]["divergence"] is None or result["comparisons"][0]["same"]


def test_bisecting_names_the_operation(tmp_path: Path) -> None:
    """Steps are traced first, then the operations of the step at which two runs part: the line
    that added chance is named, not the optimizer's. The program is the README's example."""
    code = (REPOSITORY / "examples" / "find_the_fault.py").read_text()
    done, result = verify(tmp_path, code, OMP_NUM_THREADS="1")

    step = result["comparisons"][0]["result"]
    operation = result["bisected"]["divergence"]
    assert done.status == 1, done.out + done.err
    assert (step["kind"], step["step"], step["at"]) == ("step", 37, "train.py:23")
    assert (operation["kind"], operation["step"], operation["at"]) == ("op", 37, "train.py:19")
    assert operation["element"]["first_bits"] != operation["element"]["second_bits"]
    assert "the operation (bisect-" in done.out


def test_a_trace_without_an_end_is_invalid(tmp_path: Path) -> None:
    """A trace that was cut, here by the program itself, is not judged."""
    code = LOOP.replace("BODY", "pass") + (
        "import atexit, glob, os\n"
        "(trace,) = glob.glob(os.environ['REPRO_REPORT'] + '/*.trace.jsonl')\n"
        "os.unlink(trace)\n"
    )

    done, result = verify(tmp_path, code)

    assert done.status == 4
    assert "left no trace" in result["reasons"][0]
