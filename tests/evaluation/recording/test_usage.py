"""usage.py: what a run took, by whose count."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from seedlock.evaluation.recording.usage import KERNEL, NEAR, REPORTS, usage
from seedlock.evaluation.runs import Run
from tests.evaluation.recording.test_run_command import CLEAN
from tests.interpreter import run

REPORTED = {"usage": {"user_s": 1.0, "system_s": 0.0, "peak_memory_bytes": 5 << 20}}


@pytest.mark.parametrize(
    ("more", "reports", "by"),
    [(NEAR + 1, [REPORTED], KERNEL), (NEAR, [REPORTED], REPORTS), (NEAR, [{}], KERNEL)],
    ids=["the run held more", "what started it held as much", "without a report"],
)
def test_whose_count_of_memory(
    tmp_path: Path, more: int, reports: list[dict[str, object]], by: str
) -> None:
    """The kernel's where it can be the run's, else the reports'; time is always the kernel's."""
    ended = Run("A-1", 7, tmp_path, ["true"], {})
    ended.usage = resource.getrusage(resource.RUSAGE_SELF)
    counted = ended.usage.ru_maxrss * 1024

    taken = usage(ended, 0.0, reports, {}, counted - more)

    assert (taken["by"], taken["memory_by"]) == (KERNEL, by)
    assert taken["peak_memory_bytes"] == (counted if by == KERNEL else 5 << 20)


def test_a_record_does_not_count_what_its_maker_held(tmp_path: Path) -> None:
    """A small program's memory is its own, however much the process holds that records it."""
    (tmp_path / "train.py").write_text(CLEAN)
    words = ["run", "--record", "run.json", "--seed", "7", "--", sys.executable, "train.py"]
    maker = (
        "import json, sys; from seedlock.cli import main; held = b'x' * (300 << 20); "
        f"status = main({words!r}); print(); "
        "print(json.dumps(json.load(open('run.json'))['usage'])); sys.exit(status)"
    )

    found = run([sys.executable, "-c", maker], cwd=tmp_path).json()

    assert 1 << 20 < found["peak_memory_bytes"] < 300 << 20
    assert (found["by"], found["memory_by"]) == ("wait4", "reports")
