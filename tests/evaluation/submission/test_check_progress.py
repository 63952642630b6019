"""check_progress.py: what is seen on a terminal and in a file."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from seedlock.evaluation.runs import Run
from seedlock.evaluation.submission.check_progress import Steps


def shown(terminal: bool, folder: Path) -> str:
    """Return what two steps print."""
    (folder / "stdout.txt").write_text("first\nstep 3 [bold]\n")
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, color_system=None)
    with Steps(console, 4) as steps:
        steps.begin("building the image")
        steps.begin("run A-1 under seed 7")
        steps.show([Run("A-1", 7, folder, [], {})])
    return file.getvalue()


def test_in_a_file_there_is_a_line_per_step(tmp_path: Path) -> None:
    """With its number and how many there are."""
    assert shown(False, tmp_path).splitlines() == [
        "seedlock check: 1 of 4: building the image",
        "seedlock check: 2 of 4: run A-1 under seed 7",
    ]


def test_on_a_terminal_time_and_last_line_are_seen(tmp_path: Path) -> None:
    """Of the step under way; what is done stays above it. What a program prints is no markup."""
    text = shown(True, tmp_path)

    assert "done" in text and "1 of 4" in text and "building the image" in text
    assert "now" in text and "2 of 4" in text and "s in all" in text
    assert "step 3 [bold]" in text
