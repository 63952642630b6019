"""Files that a person named: written whole, or told why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seedlock.evaluation.writing import settle, why_not_written


def synchronised(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that gets each file and folder that this process brings to the disk."""
    seen: list[Path] = []
    fsync = os.fsync

    def noting(handle: int) -> None:
        seen.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noting)
    return seen


def test_a_folder_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It itself is synchronised, which takes its names along; no handle is left."""
    seen = synchronised(monkeypatch)
    before = os.listdir("/proc/self/fd")

    settle(tmp_path)

    assert seen == [tmp_path]
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_what_can_be_written_is(tmp_path: Path) -> None:
    """And there is nothing to be told."""
    assert why_not_written(str(tmp_path / "page.html"), "text") is None
    assert (tmp_path / "page.html").read_text() == "text"


def test_why_not_is_told_with_the_name(tmp_path: Path) -> None:
    """A folder that is not there, one in the file's place; nothing is left of it."""
    (tmp_path / "folder").mkdir()

    missing = why_not_written(str(tmp_path / "none" / "page.html"), "text")
    taken = why_not_written(str(tmp_path / "folder"), "text")

    assert missing == f"'{tmp_path}/none/page.html' can't be written: No such file or directory"
    assert taken == f"'{tmp_path}/folder' can't be written: Is a directory"
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]
