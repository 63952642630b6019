"""The way to the server's database: SQLite in WAL mode or PostgreSQL, and its troubles.

Connections are those of the round's ledger (evaluation/ledger/database.py has the sources): what
was committed is on the disk, and a writer waits for another instead of failing in the middle.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from seedlock.errors import BadServer, DatabaseUnavailable
from seedlock.evaluation.ledger.database import CREATION, NO_ROOM, make_engine, shown
from seedlock.leaderboard.tables import Base, Board

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "board.db"
"""Name of the database in the server's folder."""

VERSION = 1
"""Of the tables."""

ALLOWED = "postgresql+psycopg://USER@HOST/DATABASE, or a file of SQLite's as sqlite:////PATH"

CONNECTIONS = 16
"""Kept open; threads beyond them wait for one."""


class Database:
    """A server's database; its tables are made where there are none.

    Args:
        folder: the server's folder, which has `board.db` where no other is named.
        url: one of SQLAlchemy's, or nothing.

    Attributes:
        shown: where it is, without a password.
        server: whether it is PostgreSQL's.

    Raises:
        BadServer: `url` can't be read, or names a database of something else.
        DatabaseUnavailable: it does not answer.
        OSError: the disk is full.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self._url = _url(folder, url)
        self.shown = shown(self._url)
        self.server = self._url.get_backend_name() == "postgresql"
        if self.server and find_spec("psycopg") is None:
            raise DatabaseUnavailable(
                "a board in PostgreSQL needs psycopg; say pip install 'seedlock[postgresql]'"
            )
        with self._troubles():
            # Values of statements stay out of exceptions, and so out of the log.
            self._engine = make_engine(
                self._url, self.server, hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0
            )
            self._make_tables()

    def _make_tables(self) -> None:
        with self.write() as connection:
            if self.server:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({CREATION})"))
            names = set(inspect(connection).get_table_names())
            if set(Base.metadata.tables) <= names:
                version = connection.execute(text("SELECT version FROM board")).scalar()
                if version != VERSION:
                    raise BadServer(
                        f"{self.shown} is a board of version {version}; allowed: {VERSION}; take "
                        "the seedlock that wrote it"
                    )
                return
            if names & set(Base.metadata.tables) or (names and not self.server):
                raise BadServer(
                    f"{self.shown} is the database of something else, as a ledger; allowed: "
                    f"{ALLOWED}; name one of the board's own"
                )
            Base.metadata.create_all(connection)
            connection.execute(Board.__table__.insert().values(id=1, version=VERSION))  # type: ignore[attr-defined]

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, undone by an exception.

        Raises:
            IntegrityError: SQLAlchemy's, where a row is there already that may be there once.
            DatabaseUnavailable: the database does not answer or refuses.
            OSError: its disk is full.
        """
        with self._troubles(), self._engine.connect() as connection:
            connection.execution_options(seedlock_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state from its beginning to its end; raises as `write`."""
        with self._troubles(), self._engine.connect() as connection:
            if self.server:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as problem:
            raise self._told(problem) from None
        except SQLAlchemyError as problem:
            raise DatabaseUnavailable(self._line(str(problem))) from None

    def _told(self, problem: DBAPIError) -> Exception:
        said = str(problem.orig)
        code = getattr(problem.orig, "sqlstate", getattr(problem.orig, "sqlite_errorname", None))
        if said == "database or disk is full" or code in NO_ROOM:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.shown)
        if said.startswith(("file is not a database", "database disk image is malformed")):
            return BadServer(f"{self.shown}: {said}; allowed: {ALLOWED}")
        return DatabaseUnavailable(self._line(said))

    def _line(self, said: str) -> str:
        line = " ".join(said.split())
        secrets = [self._url.password, *(str(each) for each in self._url.query.values())]
        for secret in secrets:
            line = line.replace(str(secret), "***") if secret else line
        return f"the board {self.shown} does not answer: {line}; see that it runs and may be used"


def _url(folder: Path, given: str) -> URL:
    if not given:
        return URL.create("sqlite", database=str(folder / FILE))
    try:
        url = make_url(given)
        known = url.get_backend_name() == "postgresql" or (
            url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        )
    except (ArgumentError, ValueError):
        known = False
    if not known:
        # Not shown: what can't be read may hold a password anywhere.
        raise BadServer(f"the URL of the board's database can't be read; allowed: {ALLOWED}")
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
