"""uncompared.py: what a command writes in its working folder, and nobody compares, is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seedlock.evaluation import uncompared
from seedlock.evaluation.uncompared import Uncompared


@pytest.fixture
def looked(tmp_path: Path) -> Uncompared:
    """A folder with a few files, and that of the runs, looked at before a run."""
    for name in ("kept.txt", "grown.txt", "same-size.txt", "runs/A-1/metrics.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old")
        os.utime(tmp_path / name, (1, 1))
    found = Uncompared(tmp_path, tmp_path / "runs")
    found.look()
    return found


def test_nothing_is_told_of_what_stands_as_it_stood(looked: Uncompared, tmp_path: Path) -> None:
    """Nor of the runs' folder, caches, hidden files, declared ones and a link to nowhere that was
    there."""
    for name in ("runs/A-1/new", "__pycache__/x.pyc", ".cache/x", ".hidden", "declared.pt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("new")

    assert looked.note({"declared.pt"}) == ""


def test_what_is_new_or_was_written_again_is_named(looked: Uncompared, tmp_path: Path) -> None:
    """The first few, and how many there are; below folders too."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.csv").write_text("1")
    assert "not compared: logs/a.csv, written in this folder" in looked.note(())
    assert "name it with --declare" in looked.note(())

    for name in ("grown.txt", "same-size.txt", "z"):
        (tmp_path / name).write_text("new")
    told = looked.note(())
    assert "not compared: grown.txt, logs/a.csv, same-size.txt, … (4 files)" in told
    assert "name them with --declare" in told


def test_a_folder_beyond_the_limit_is_told(
    looked: Uncompared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as if nothing had been written."""
    monkeypatch.setattr(uncompared, "MOST", 3)
    (tmp_path / "new").write_text("")

    assert "more than 3 files" in looked.note(())


def test_where_this_process_prints_is_no_result(tmp_path: Path) -> None:
    """As `seedlock verify ... > log.txt` in the folder itself."""
    found = Uncompared(tmp_path, tmp_path / "runs")
    found.look()
    before = os.dup(2)
    with open(tmp_path / "log.txt", "wb") as log:
        os.dup2(log.fileno(), 2)
        try:
            assert found.note(()) == ""
        finally:
            os.dup2(before, 2)
            os.close(before)
    assert "log.txt" in found.note(())
