"""The database of a leaderboard's server: where it is, and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL
from sqlalchemy.exc import IntegrityError

from seedlock.errors import BadServer, DatabaseUnavailable
from seedlock.evaluation.sql_database import SqlDatabase, parsed
from seedlock.leaderboard.tables import Base, Board

if TYPE_CHECKING:
    from pathlib import Path

FILE = "board.db"
"""Name of the database in the server's folder."""

VERSION = 1
"""Of the tables."""

ALLOWED = "postgresql+psycopg://USER@HOST/DATABASE, or a file of SQLite's as sqlite:////PATH"

CONNECTIONS = 16
"""Kept open; threads beyond them wait for one."""


class Database(SqlDatabase):
    """A server's database; its tables are made where there are none.

    A transaction that writes raises SQLAlchemy's IntegrityError where a row is there already that
    may be there once.

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

    what = "board"
    allowed = ALLOWED
    bad = BadServer
    unavailable = DatabaseUnavailable
    let_through = (IntegrityError,)

    def __init__(self, folder: Path, url: str = "") -> None:
        # Values of statements stay out of exceptions, and so out of the log.
        super().__init__(
            _url(folder, url), hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0
        )
        self._make_tables()

    def _make_tables(self) -> None:
        with self.write() as connection:
            self.wait_for_creation(connection)
            others = self.tables_of_others(connection, Base.metadata, "board", VERSION)
            if others is None:
                return
            if others & set(Base.metadata.tables) or (others and not self.server):
                raise BadServer(
                    f"{self.shown} is the database of something else, as a ledger; allowed: "
                    f"{ALLOWED}; name one of the board's own"
                )
            Base.metadata.create_all(connection)
            connection.execute(Board.__table__.insert().values(id=1, version=VERSION))  # type: ignore[attr-defined]


def _url(folder: Path, given: str) -> URL:
    if not given:
        return URL.create("sqlite", database=str(folder / FILE))
    url = parsed(given)
    if url is None or (
        url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    ):
        raise BadServer(f"the URL of the board's database can't be read; allowed: {ALLOWED}")
    return url
