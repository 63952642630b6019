"""A ledger in PostgreSQL: the tests of the one in SQLite, against a server of Debian's."""

from __future__ import annotations

import os
import shutil
import subprocess
import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from seedlock.errors import LedgerUnavailable
from seedlock.evaluation.ledger.ledger import Ledger
from tests.evaluation.ledger.conftest import _clock, _ledger, _reopen  # noqa: F401
from tests.evaluation.ledger.made import Clock, fill, play
from tests.evaluation.ledger.test_killed_workers import *  # noqa: F403
from tests.evaluation.ledger.test_ledger import *  # noqa: F403
from tests.evaluation.ledger.test_verification import *  # noqa: F403
from tests.services.postgresql import USER, Server


@pytest.fixture(name="where")
def _where(server: Server) -> str:
    """A schema without tables."""
    return server.new()


@pytest.fixture(name="played")
def _played(where: str, clock: Clock) -> Iterator[Ledger]:
    """A ledger that went through all that can happen."""
    with Ledger.open(where, clock=clock) as ledger:
        play(ledger, clock)
        yield ledger


def test_a_ledger_can_not_be_emptied(played: Ledger) -> None:
    """Nor can its events be truncated by accident."""
    with pytest.raises(DBAPIError, match="only ever added to"):  # noqa: SIM117
        with played.database._engine.begin() as connection:
            connection.execute(text("TRUNCATE events"))

    assert played.verify().problems == []


def test_a_commit_waits_for_the_disk(server: Server, where: str) -> None:
    """Whatever the server's default is for this user."""
    with server.connect() as connection:
        connection.execute(b"ALTER ROLE seedlock SET synchronous_commit = off")
    try:
        with Ledger.open(where) as ledger, ledger.database.write() as connection:
            said = connection.execute(text("SHOW synchronous_commit")).scalar()
    finally:
        with server.connect() as connection:
            connection.execute(b"ALTER ROLE seedlock RESET synchronous_commit")

    assert said == "on"


def test_a_broken_connection_is_made_anew(server: Server, ledger: Ledger) -> None:
    """A server that was started again costs an error at most, and no lease."""
    fill(ledger, "one", seeds=9)
    with server.connect() as connection:
        connection.execute(
            b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            b"WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    assert ledger.lease("w", 60)
    assert ledger.verify().problems == []


def test_a_transaction_that_breaks_off_leaves_nothing(server: Server, ledger: Ledger) -> None:
    """It is told as a ledger that does not answer, and what was said in it was not done."""
    fill(ledger, "one")
    head = ledger.head()

    with pytest.raises(LedgerUnavailable), ledger._page() as page:
        page.add("added", {"name": "x", "visibility": "public", "seeds": 1}, "sha256:x")
        pid = page.connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with server.connect() as connection:
            connection.execute(f"SELECT pg_terminate_backend({pid}, 60000)".encode())

    assert ledger.head() == head
    assert ledger.verify([head]).problems == []


def test_no_password_of_a_server_is_told(server: Server) -> None:
    """A server that refuses is quoted without it."""
    refused = server.url(password="geheim/7").replace("@/postgres", "@/nowhere")

    with pytest.raises(LedgerUnavailable, match='database "nowhere" does not exist') as problem:
        Ledger.open(refused)

    assert "geheim" not in "".join(traceback.format_exception(problem.value))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_servers_full_disk(server: Server, where: str) -> None:
    """The same as a full disk here; what did not fit was not done at all."""
    small = server.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "seedlock", str(small)], check=True)
    try:
        shutil.chown(small, USER, "nogroup")
        with server.connect() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{small}'".encode())
        with Ledger.open(f"{where}%20-cdefault_tablespace%3Dsmall") as ledger:
            fill(ledger, "one", seeds=99)
            with pytest.raises(OSError, match="No space left") as problem:
                while True:
                    (lease,) = ledger.lease("w", 60)
                    ledger.finish(lease, "interrupted", reasons=[os.urandom(9000).hex()])
            head = ledger.head()
            assert problem.value.filename == ledger.database.shown
            assert ledger.verify([head]).problems == []
        with server.connect() as connection:
            schema = where.rpartition("%3D")[2]
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
            connection.execute(b"CHECKPOINT")
            connection.execute(b"DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
