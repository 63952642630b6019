"""Tokens from a terminal, for a real server: the organiser's first, and those of teams."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.interpreter import run
from tests.leaderboard.served import LINK, SEEDLOCK, serving
from tests.leaderboard.work import TOKEN, Person


def test_tokens_without_a_browser(tmp_path: Path) -> None:
    """The first one makes its owner organiser, before the server runs; with it come those of
    teams, which are made if they are new. Each is in a file of its owner's only, is shown nowhere,
    and what can't be written or issued leaves no file and no token."""
    board, first = tmp_path / "board", tmp_path / "organiser.token"
    done = run([SEEDLOCK, "serve", str(board), "--new-token", str(first)])
    again = run([SEEDLOCK, "serve", str(board), "--new-token", str(first)], check=False)
    with serving(board) as served:
        organiser = Person(served, first.read_text().strip(), tmp_path / "organiser")
        words = ("board", "token", "-o", tmp_path / "blue.token", "--team", "blue", "--round", "r")
        told = organiser.command(*words, "--days", "3")
        twice = organiser.command(*words, check=False)
        more = organiser.command("board", "token", "--team", "blue", "-o", tmp_path / "second")
        refused = organiser.command(
            "board", "token", "--reviewer", "--days", "9999", "-o", tmp_path / "none", check=False
        )
        tokens = organiser.ask("GET", "tokens").json()["tokens"]
        author = Person(served, (tmp_path / "blue.token").read_text().strip(), tmp_path / "author")
        me = author.ask("GET", "me").json()
        denied = author.command("board", "token", "--list", check=False)
        taken = organiser.command("board", "token", "--revoke", "2")
        unknown = organiser.command("board", "token", "--revoke", "9", check=False)
        afterwards = author.ask("GET", "me").status_code
        listed = organiser.command("board", "token", "--list")
        as_json = organiser.command("board", "token", "--list", "--json")

    assert done.out == f"token 1 for an organiser, all rounds: in {first}\n"
    assert not LINK.search("\n".join(served.said))
    assert (again.status, "File exists" in again.err) == (78, True), again.err
    assert "bad-board" in again.err
    assert told.out.startswith("token 2 for team blue, round r, until 2")
    assert (twice.status, "File exists" in twice.err) == (78, True), twice.err
    assert more.out.startswith("token 3 for team blue, all rounds, until 2")
    assert (refused.status, "no token lives so many days" in refused.err) == (78, True)
    assert not (tmp_path / "none").exists()
    assert [(each["id"], each["role"], each["round"]) for each in tokens] == [
        (3, "author", None), (2, "author", "r"), (1, "organiser", None),
    ]  # fmt: skip
    assert (me["role"], me["team"]) == ("author", "blue")
    for file in (first, tmp_path / "blue.token", tmp_path / "second"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert TOKEN.fullmatch(file.read_text().strip())
    assert (denied.status, "allowed: organisers" in denied.err) == (78, True), denied.err
    assert taken.out.startswith("token 2 of team blue: REVOKED at 2")
    assert (unknown.status, "there is no such token" in unknown.err) == (78, True)
    assert afterwards == 401
    assert [line.split()[0] for line in listed.lines] == ["3", "2", "1", "3"]
    assert "  team blue  round r  revoked 2" in listed.lines[1]
    assert listed.lines[2].startswith("1  an organiser  all rounds  until 2")
    assert listed.lines[-1] == "3 tokens, 1 of them revoked"
    assert [bool(each["revoked"]) for each in json.loads(as_json.out)] == [False, True, False]
    printed = "\n".join((done.out, told.out, more.out, listed.out, as_json.out, *served.said))
    assert not TOKEN.search(printed)
    with sqlite3.connect(board / "board.db") as connection:
        said = connection.execute("SELECT who, what, outcome FROM audit ORDER BY id").fetchone()
    assert said == ("who can write the database", "issue token", "done")


@pytest.mark.parametrize(
    "words",
    [("-o", "x"), ("-o", "x", "--team", "blue", "--reviewer"), ("--reviewer",),
     ("-o", "x", "--list"), ("--list", "--revoke", "1")],
)  # fmt: skip
def test_a_token_is_somebodys(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Of a team, a reviewer or an organiser, and of one of them, and goes into a file; what lists
    and takes back writes none."""
    done = run([SEEDLOCK, "board", "token", *words], check=False, cwd=tmp_path)

    assert done.status == 2
    assert not (tmp_path / "x").exists()
