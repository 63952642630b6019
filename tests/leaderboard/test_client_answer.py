"""Answers of servers that are no leaderboard's: the commands say so in one clear line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import requests

from seedlock.leaderboard.board_errors import BoardRefused
from seedlock.leaderboard.client_answer import content_of
from tests.evaluation.data.server import Page, Server
from tests.interpreter import Done, run

SUBMISSION = """\
name = "mine"
visibility = "public"
command = ["python", "train.py"]
[image]
name = "conference/repro-base"
[metrics.loss]
direction = "min"
"""

COMMANDS = {
    "submit": ("submit", "mine", "--round", "small"),
    "uploads": ("submit", "--list", "--round", "small"),
    "tokens": ("board", "token", "--list"),
}


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"items": [1], "total": 1}', b"[]", b'"small"', b"null", b"[" * 100_000, b"<html>"],
    ids=["nothing", "others", "list", "text", "null", "deep", "page"],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_answer_that_is_no_leaderboards(command: str, body: bytes, tmp_path: Path) -> None:
    """It is said in one line, and the cure with it."""
    done = asked(COMMANDS[command], body, tmp_path)

    assert (done.status, done.out) == (78, ""), done.err
    [line] = done.err.splitlines()
    assert "leaderboard's server" in line and "mend --server" in line
    assert "board-unavailable" in line


def test_a_refusal_whose_list_is_none() -> None:
    """What can be shown of it is shown, without what a terminal would obey."""
    answer = requests.Response()
    answer.status_code = 409
    answer.raw = io.BytesIO(b'{"detail": "no, \\u001b[2J", "errors": 5}')

    with pytest.raises(BoardRefused, match="no, ") as refused:
        content_of(answer)
    assert "\x1b" not in str(refused.value)


def asked(words: tuple[str, ...], body: bytes, folder: Path) -> Done:
    """Run a command against a server that gives one answer to all that is asked."""
    token = folder / "token"
    token.write_text("slk_ours\n")
    token.chmod(0o600)
    (folder / "mine").mkdir()
    (folder / "mine" / "submission.toml").write_text(SUBMISSION)
    (folder / "mine" / "train.py").write_text("print(1)\n")
    server = Server()
    for path in ("rounds/small", "rounds/small/submissions", "me", "tokens"):
        server.pages[f"/api/v1/{path}"] = Page(body)
    try:
        return run(
            [sys.executable, "-m", "seedlock", *words], cwd=folder, check=False,
            REPRO_BOARD=server.url("").rstrip("/"), REPRO_BOARD_TOKEN_FILE=str(token),
        )  # fmt: skip
    finally:
        server.close()
