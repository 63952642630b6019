"""progress.py: what somebody who waits sees."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from seedlock.evaluation import progress
from seedlock.evaluation.runs import FINISHED, RUNNING, Run


def runs(folder: Path) -> list[Run]:
    """Return a run that has finished, one under way with three steps, and one that waits."""
    made = [Run(name, 7, folder / name, [], {}) for name in ("A-1", "A-2", "B-1")]
    for run in made[:2]:
        run.reports.mkdir(parents=True)
        run.status = RUNNING
    (made[1].folder / "stdout.txt").write_text("first\n10%\r[bold]20% 3 it/s")
    (made[1].reports / "1-a.trace.jsonl").write_text(json.dumps({"kind": "step", "step": 2}) + "\n")
    made[0].status = FINISHED
    return made


def test_a_terminal_shows_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line per run, with steps and the last line as a terminal would show it; what a program
    prints is no markup."""
    monkeypatch.setattr(progress, "EVERY", 0.0)
    stream = io.StringIO()

    with progress.Progress(Console(file=stream, force_terminal=True, width=120)) as shown:
        shown.show(runs(tmp_path))

    text = stream.getvalue()
    assert "[bold]20% 3 it/s" in text
    assert "10%" not in text
    assert all(each in text for each in ("A-1", "finished", "running", "not started", " 3 "))


def test_a_log_gets_a_line_per_change(tmp_path: Path) -> None:
    """Not one per look."""
    stream = io.StringIO()

    with progress.Progress(Console(file=stream)) as shown:
        for _ in range(3):
            shown.show(runs(tmp_path)) if not stream.getvalue() else shown.show([])

    assert stream.getvalue() == (
        "A-1 (seed 7) finished after 0.0 s\nA-2 (seed 7) running\n"
    )  # fmt: skip
