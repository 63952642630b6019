"""The file of a token: its owner's, on the disk, or not there at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from seedlock.leaderboard import token_file
from tests.evaluation.test_writing import synchronised


def test_a_new_token_survives_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is shown once: its bytes are brought to the disk, then the name of its file, also
    where that is named without a folder."""
    monkeypatch.chdir(tmp_path)
    seen = synchronised(monkeypatch)

    with token_file.new("blue.token") as file:
        file.write("token\n")

    assert seen == [tmp_path / "blue.token", tmp_path]
    assert (tmp_path / "blue.token").read_text() == "token\n"
    assert stat.S_IMODE((tmp_path / "blue.token").stat().st_mode) == 0o600


def test_without_a_token_there_is_no_file(tmp_path: Path) -> None:
    """Whatever kept it from being issued."""
    with pytest.raises(OSError, match="no answer"), token_file.new(str(tmp_path / "blue.token")):
        raise OSError("no answer")

    assert not list(tmp_path.iterdir())
