"""`make serve`: the round of the demo in the application, until Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import requests
from sqlalchemy import select

from seedlock.leaderboard.database import Database
from seedlock.leaderboard.tables import Token
from tests.interpreter import REPOSITORY, environment, run
from tests.leaderboard.large_round import Shape, make
from tests.leaderboard.served import free_port

PROGRAM = str(REPOSITORY / "examples" / "serve_round.py")


def test_the_round_is_in_the_application_until_ctrl_c(tmp_path: Path) -> None:
    """Its board and its submissions are there; the token that published it is worth nothing
    afterwards, and nothing goes on running."""
    make(tmp_path / "round", Shape(3, 2, "demo"))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, PROGRAM, str(tmp_path), "--port", str(port)], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment(PYTHONUNBUFFERED="1"),
    )  # fmt: skip
    assert process.stdout is not None
    with process:
        last = next((line for line in process.stdout if "has the round" in line), "nothing")
        try:
            assert last == (
                f"http://127.0.0.1:{port}/rounds/demo has the round; Ctrl-C ends the server\n"
            )
            board = requests.get(f"http://127.0.0.1:{port}/rounds/demo", timeout=60)
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
    database = Database(tmp_path / "board")
    with database.read() as connection:
        tokens = connection.execute(select(Token.role, Token.revoked)).all()
    database.close()

    assert board.status_code == 200 and "tree-1" in board.text
    assert process.returncode == 130
    assert [role for role, _ in tokens] == ["organiser"]
    assert all(revoked is not None for _, revoked in tokens)


def test_without_a_round_it_says_what_makes_one(tmp_path: Path) -> None:
    """Nothing is started."""
    done = run([sys.executable, PROGRAM, str(tmp_path)], check=False)

    assert done.status == 2
    assert "say make demo" in done.out
    assert list(tmp_path.iterdir()) == []
