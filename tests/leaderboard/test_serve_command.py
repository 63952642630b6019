"""`seedlock serve`, as an organiser starts it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import stat
from pathlib import Path

import pytest
import requests

from seedlock.errors import BadServer
from seedlock.leaderboard import application
from tests.interpreter import run
from tests.leaderboard.conftest import CSRF
from tests.leaderboard.served import LINK, SEEDLOCK, serving


def refused(*arguments: str) -> str:
    """Return the line of a server that does not start."""
    done = run([SEEDLOCK, "serve", *arguments], check=False)

    assert done.status == 78, (done.out, done.err)
    assert done.out == ""
    assert "Traceback" not in done.err
    return done.err


def test_a_first_start(tmp_path: Path) -> None:
    """Prints where it is and the organiser's link; the link works; the log has neither its code
    nor the token; Ctrl-C ends it with all requests answered."""
    folder = tmp_path / "board"
    with serving(folder) as served:
        browser = requests.Session()
        code = served.first_link.partition("=")[2]
        page = browser.get(served.first_link)
        field = CSRF.search(page.text)
        assert field
        answer = browser.post(
            f"{served.url}/first", data={"code": code, "csrf": field.group(1)},
            headers={"Origin": served.url},
        )  # fmt: skip
        found = re.search(r"slk_[\w-]{43}", answer.text)
        assert found
        token = found.group()
        known = requests.get(
            f"{served.url}/api/v1/me?slk={token}", headers={"Authorization": f"Bearer {token}"}
        )
        other = requests.get(f"{served.url}/{token}", headers={"Host": "evil.example"})
        served.process.send_signal(signal.SIGINT)
        status = served.process.wait(60)

    lines = [each for each in served.said if "first?code=" not in each]
    log = "\n".join(lines)
    assert (page.status_code, answer.status_code, known.status_code) == (200, 200, 200)
    assert other.status_code == 421
    assert status == 130
    assert log.count('"POST /first HTTP/1.1" 200') == 1
    assert len(served.said) - len(lines) == 1
    assert code not in log and token not in log and "Traceback" not in log
    kept = [folder, *folder.rglob("*")]
    assert [each for each in kept if stat.S_IMODE(each.stat().st_mode) & 0o077] == []
    with serving(folder) as again:
        assert not LINK.search("\n".join(again.said))
        answer = requests.get(f"{again.url}/sign-in")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(60) == -signal.SIGTERM
    assert not LINK.search("\n".join(again.said))
    with sqlite3.connect(folder / "board.db") as connection:
        dump = "\n".join(connection.iterdump())
    assert token not in dump and code not in dump


def test_a_new_link_for_a_server_that_runs(tmp_path: Path) -> None:
    """When all tokens are lost: whoever can write the server's folder gets one."""
    with serving(tmp_path / "board") as served:
        done = run([SEEDLOCK, "serve", str(tmp_path / "board"), "--new-link", "--url", served.url])
        path = done.out.strip()
        page = requests.get(path)
        second = run([SEEDLOCK, "serve", str(tmp_path / "board"), "--port", "0"], check=False)

    assert LINK.fullmatch(path)
    assert path != served.first_link
    assert page.status_code == 200
    assert second.status == 78
    assert "another server has" in second.err and "[docs/messages.md#bad-server]" in second.err


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The line says which."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = refused(str(tmp_path / "board"), "--port", port)

    assert f"can't listen at 127.0.0.1 port {port}: Address already in use" in line
    assert "[docs/messages.md#bad-server]" in line
    assert not (tmp_path / "board").exists()


def test_what_is_no_folder(tmp_path: Path) -> None:
    """A file is in the way, or the disk may not be written."""
    (tmp_path / "file").write_text("x")

    line = refused(str(tmp_path / "file"), "--port", "0")

    assert "can't be the server's folder: File exists" in line
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o770)
    with pytest.raises(BadServer, match="others may write it"):
        application.prepare(tmp_path / "open")
    for name in (str(tmp_path / "file" / "x"), "/proc/board"):
        with pytest.raises(BadServer, match="can't be the server's folder"):
            application.prepare(Path(name))


def test_a_database_of_something_else(tmp_path: Path) -> None:
    """It is left as it is."""
    (tmp_path / "board").mkdir()
    with sqlite3.connect(tmp_path / "board" / "board.db") as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    line = refused(str(tmp_path / "board"), "--port", "0")
    with sqlite3.connect(tmp_path / "board" / "board.db") as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()

    assert "is the database of something else" in line
    assert tables == [("recipes",)]


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    """Its password is not told."""
    url = "postgresql://board:hunter2@127.0.0.1:1/board?sslpassword=hunter3"
    line = refused(str(tmp_path / "board"), "--port", "0", "--database", url)

    assert "[docs/messages.md#database-unavailable]" in line
    assert "hunter" not in line


def test_others_need_an_address(tmp_path: Path) -> None:
    """Which hosts are ours can't be known otherwise."""
    line = refused(str(tmp_path / "board"), "--host", "0.0.0.0", "--port", "0")

    assert "say --url https://HOST" in line


def test_a_seed_decides_nothing_of_it(tmp_path: Path) -> None:
    """Under REPRO_SEED with REPRO_ENTROPY=lock, two servers print different links."""
    links = set()
    for name in ("a", "b"):
        with serving(tmp_path / name, REPRO_SEED="7", REPRO_ENTROPY="lock") as served:
            links.add(served.first_link.partition("=")[2])

    assert len(links) == 2


def test_nobodys_header_says_where_one_comes_from(tmp_path: Path) -> None:
    """But a proxy's that was named."""
    seen = []
    for name, options in (("a", ()), ("b", ("--proxy", "127.0.0.1"))):
        with serving(tmp_path / name, *options) as served:
            browser = requests.Session()
            field = CSRF.search(browser.get(f"{served.url}/sign-in").text)
            assert field
            browser.post(
                f"{served.url}/sign-in", data={"token": "x", "csrf": field.group(1)},
                headers={"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Host": "evil.example"},
            )  # fmt: skip
        with sqlite3.connect(tmp_path / name / "board.db") as connection:
            seen += connection.execute("SELECT address FROM audit").fetchall()

    assert seen == [("127.0.0.1",), ("198.51.100.7",)]
    assert os.listdir(tmp_path / "a" / "tmp") == []
