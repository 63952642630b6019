"""What a server may be started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedlock.errors import BadServer
from seedlock.leaderboard.configuration import Configuration
from seedlock.leaderboard.database import Database


@pytest.mark.parametrize(
    "url",
    ["", "board.example.org", "ftp://x", "https://", "https://a/b", "https://u:p@a", "https://a b",
     "https://a:99999", "https://a?x", "https://a#x", "https://a\\b", "https://ä", "https://a\n",
     "https://a\nb"],
)  # fmt: skip
def test_an_address_that_is_none(url: str) -> None:
    """Cookies and hosts follow from it: it is not guessed at."""
    with pytest.raises(BadServer, match="the server's address is"):
        Configuration(Path("board"), url)


@pytest.mark.parametrize(
    ("url", "hosts", "origin"),
    [
        ("https://Board.example", {"board.example", "board.example:443"}, "https://board.example"),
        ("https://a:443", {"a", "a:443"}, "https://a"),
        ("https://a:8443", {"a:8443"}, "https://a:8443"),
        ("http://a", {"a", "a:80"}, "http://a"),
        ("http://127.0.0.1:8000", {"127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ("http://[::1]:8000", {"[::1]:8000"}, "http://[::1]:8000"),
    ],
)
def test_hosts_that_are_answered(url: str, hosts: set[str], origin: str) -> None:
    """Each spelling of the address, and what a browser's Origin says of it."""
    made = Configuration(Path("board"), url)

    assert made.known_hosts == hosts
    assert made.origin == origin
    assert made.secure == url.startswith("https")


@pytest.mark.parametrize(
    "url", ["mysql://x:hunter2@y/z", "postgres ql://hunter2", "sqlite://", "sqlite:///:memory:"]
)
def test_a_database_that_can_not_be(tmp_path: Path, url: str) -> None:
    """It is not shown: a password may stand anywhere in what can't be read."""
    with pytest.raises(BadServer, match="can't be read") as told:
        Database(tmp_path, url)

    assert "hunter" not in str(told.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is left as it is."""
    (tmp_path / "board.db").write_bytes(b"recipes" * 1000)

    with pytest.raises(BadServer, match="file is not a database"):
        Database(tmp_path)
    assert (tmp_path / "board.db").read_bytes() == b"recipes" * 1000
