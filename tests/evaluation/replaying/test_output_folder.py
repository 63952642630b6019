"""Where a replay is put when nobody says where."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.replaying.output_folder import EXPORT, output_folder
from seedlock.leaderboard import export_layout
from tests.evaluation.replaying.replays import CLEAN, record, seedlock


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """A program's folder with a board beside the program's, which has the record of a run."""
    here = tmp_path / "here"
    shutil.move(record(tmp_path / "program", CLEAN).parent, here)
    records = tmp_path / "page" / "records" / "ours"
    records.mkdir(parents=True)
    (here / "run.json").rename(records / "0-1.json")
    shutil.rmtree(here / "run")
    for name in EXPORT:
        (tmp_path / "page" / name).touch()
    return here


def test_a_replay_of_a_boards_record_leaves_the_board_alone(author: Path) -> None:
    """It goes into the current folder, and the next replay there does not fail for it, although
    no listing of the source lies beside a board's record."""
    board = author.parent / "page"
    before = digest_of(board).digest

    found = [seedlock(author, "replay", "../page/records/ours/0-1.json") for _ in range(2)]
    inside = seedlock(board, "replay", "records/ours/0-1.json", "--source", "../here")
    asked = seedlock(author, "replay", "../page/records/ours/0-1.json", "--output", "../page/new")

    assert [done.status for done in found] == [0, 0], found
    assert [(author / f"0-1-replay-{n}" / "replay.json").is_file() for n in (1, 2)] == [True, True]
    assert (author / "0-1-replay-1" / ".gitignore").read_text() == "*\n"
    for done in (inside, asked):
        assert done.status == 2
        assert "would lie in the exported board" in done.err and "--output DIR" in done.err
    assert digest_of(board).digest == before


def test_a_board_is_known_by_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that seedlock board export writes; a folder with one of them is any folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / EXPORT[1]).touch()
    assert output_folder(None, "run") == tmp_path / "run-replay-1"
    (tmp_path / EXPORT[0]).touch()

    assert "WRONG" in str(output_folder(None, "run"))
    assert {*EXPORT} == {export_layout.ABOUT, export_layout.SUMS}


def test_a_folder_is_shown_without_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is named from a program's folder lies beside it."""
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")

    assert output_folder("../again", "run") == tmp_path / "again"
