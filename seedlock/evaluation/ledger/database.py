"""The database of a round's ledger: where it is, its tables, its clock."""

from __future__ import annotations

import os
import time

from sqlalchemy import URL, Connection, text

from seedlock.errors import BadLedger, LedgerUnavailable, printable
from seedlock.evaluation.ledger.chain import START
from seedlock.evaluation.ledger.states import VERSION
from seedlock.evaluation.ledger.tables import REFUSAL, Base, Round
from seedlock.evaluation.sql_database import SqlDatabase, parsed

FILE = "ledger.db"
"""Name of the default ledger in a round's folder."""

ALLOWED = "a round's folder, a file, or postgresql+psycopg://USER@HOST/DATABASE"


class Database(SqlDatabase):
    """A ledger's database.

    Args:
        where: a folder, which has or gets a `ledger.db`; a file; or a URL of SQLAlchemy's.
        create: make the tables where there are none.

    Attributes:
        shown: where it is, without a password.

    Raises:
        BadLedger: there is none and `create` is not set, or it is something else.
        LedgerUnavailable: the server does not answer.
        OSError: the disk is full.
    """

    what = "ledger"
    allowed = ALLOWED
    bad = BadLedger
    unavailable = LedgerUnavailable
    of_others = (REFUSAL, "no such table", "no such column")

    def __init__(self, where: str | os.PathLike[str], create: bool) -> None:
        url = _url(os.fspath(where))
        if url.get_backend_name() == "sqlite":
            _check_file(url.database, create)
        super().__init__(url)
        self._make_tables(create)

    def _make_tables(self, create: bool) -> None:
        with self.write() if create else self.read() as connection:
            if create:
                self.wait_for_creation(connection)
            others = self.tables_of_others(connection, Base.metadata, "round", VERSION)
            if others is None:
                return
            if not create or (others and not self.server):
                raise BadLedger(f"{self.shown} is no ledger; allowed: {ALLOWED}")
            Base.metadata.create_all(connection)
            connection.execute(
                Round.__table__.insert().values(id=1, version=VERSION, sequence=0, hash=START)  # type: ignore[attr-defined]
            )

    def now(self, connection: Connection) -> int:
        """Return the database's time, milliseconds since 1970. SQLite's is this machine's."""
        if not self.server:
            return time.time_ns() // 1_000_000
        answer = connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000"))
        return int(answer.scalar_one())


def _url(where: str) -> URL:
    if "://" not in where:
        path = os.path.join(where, FILE) if os.path.isdir(where) else where
        return URL.create("sqlite", database=path)
    url = parsed(where)
    if url is None:
        raise BadLedger(f"the ledger's URL can't be read; allowed: {ALLOWED}")
    return url


def _check_file(path: str | None, create: bool) -> None:
    if not path or path == ":memory:":
        raise BadLedger(f"a ledger in memory is none; allowed: {ALLOWED}")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise BadLedger(f"'{printable(folder, 300)}' is no folder; allowed: {ALLOWED}")
    if not create and not os.path.isfile(path):
        raise BadLedger(
            f"there is no ledger '{printable(path, 300)}'; allowed: {ALLOWED}; "
            "seedlock evaluate makes it"
        )
