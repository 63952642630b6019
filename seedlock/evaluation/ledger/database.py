"""The way to the database: SQLite in WAL mode or PostgreSQL, transactions, and its troubles.

SQLite: one writer at a time, by BEGIN IMMEDIATE, which waits (`BUSY`) instead of failing in the
middle. `synchronous=FULL`: in WAL mode the log is synced at each commit with FULL only; with NORMAL
a commit can be undone by a loss of power (https://www.sqlite.org/pragma.html#pragma_synchronous,
https://www.sqlite.org/wal.html, section 2.3). WAL needs memory shared by all processes
that use the file, hence one machine (https://www.sqlite.org/wal.html, section 1).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from seedlock.errors import BadLedger, LedgerUnavailable, printable
from seedlock.evaluation.ledger.chain import START
from seedlock.evaluation.ledger.states import VERSION
from seedlock.evaluation.ledger.tables import Base, Round

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY = 60.0
"""Seconds to wait for another process's transaction."""

FILE = "ledger.db"
"""Name of the default ledger in a round's folder."""

ALLOWED = "a round's folder, a file, or postgresql+psycopg://USER@HOST/DATABASE"

NO_ROOM = frozenset({"53100", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
"""What a server and SQLite call a full disk (https://www.postgresql.org/docs/current/
errcodes-appendix.html, https://www.sqlite.org/rescode.html#ioerr_shmsize); the last is about the
index of the log, which a reader needs too."""

CREATION = 0x7365656C6F636B
"""Number of PostgreSQL's advisory lock under which tables are made."""


class Database:
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

    def __init__(self, where: str | os.PathLike[str], create: bool) -> None:
        self._url = _url(os.fspath(where))
        self.shown = shown(self._url)
        self.server = self._url.get_backend_name() == "postgresql"
        self._check_file(create)
        with self._troubles():
            self._engine = make_engine(self._url, self.server)
            self._make_tables(create)

    def _check_file(self, create: bool) -> None:
        path = self._url.database
        if self.server:
            return
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

    def _make_tables(self, create: bool) -> None:
        with self.write() if create else self.read() as connection:
            if self.server and create:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({CREATION})"))
            names = set(inspect(connection).get_table_names())
            mine = set(Base.metadata.tables)
            if mine <= names:
                version = connection.execute(text("SELECT version FROM round")).scalar()
                if version != VERSION:
                    raise BadLedger(
                        f"{self.shown} is a ledger of version {version}; allowed: {VERSION}; take "
                        "the seedlock that wrote it"
                    )
                return
            if not create or (names and not self.server):
                raise BadLedger(f"{self.shown} is no ledger; allowed: {ALLOWED}")
            Base.metadata.create_all(connection)
            connection.execute(
                Round.__table__.insert().values(id=1, version=VERSION, sequence=0, hash=START)  # type: ignore[attr-defined]
            )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, undone by an exception."""
        with self._troubles(), self._engine.connect() as connection:
            connection.execution_options(seedlock_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger from its beginning to its end."""
        with self._troubles(), self._engine.connect() as connection:
            if self.server:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def now(self, connection: Connection) -> int:
        """Return the database's time, milliseconds since 1970. SQLite's is this machine's."""
        if not self.server:
            return time.time_ns() // 1_000_000
        answer = connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000"))
        return int(answer.scalar_one())

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        """Say what a database says in the words of the house, without its statements."""
        try:
            yield
        except DBAPIError as problem:
            raise self._told(problem) from None
        except SQLAlchemyError as problem:
            raise LedgerUnavailable(self._line(str(problem))) from None

    def _told(self, problem: DBAPIError) -> Exception:
        said = str(problem.orig)
        code = getattr(problem.orig, "sqlstate", getattr(problem.orig, "sqlite_errorname", None))
        if said == "database or disk is full" or code in NO_ROOM:
            name = self.shown if self.server else str(self._url.database)
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        if said.startswith(("file is not a database", "database disk image is malformed")):
            return BadLedger(f"{self.shown}: {said}; allowed: {ALLOWED}")
        if "append" in said or "no such table" in said or "no such column" in said:
            return BadLedger(f"{self.shown}: {said}; allowed: {ALLOWED}")
        return LedgerUnavailable(self._line(said))

    def _line(self, said: str) -> str:
        line = " ".join(said.split())
        secrets = [self._url.password, *(str(each) for each in self._url.query.values())]
        for secret in secrets:
            line = line.replace(str(secret), "***") if secret else line
        return f"the ledger {self.shown} does not answer: {line}; see that it runs and may be used"


def _url(where: str) -> URL:
    if "://" not in where:
        path = os.path.join(where, FILE) if os.path.isdir(where) else where
        return URL.create("sqlite", database=path)
    try:
        url = make_url(where)
        known = url.get_backend_name() in ("sqlite", "postgresql")
    except (ArgumentError, ValueError):
        known = False
    if not known:
        # Not shown: what can't be read may hold a password anywhere.
        raise BadLedger(f"the ledger's URL can't be read; allowed: {ALLOWED}")
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def shown(url: URL) -> str:
    """Return a URL for people: no password, and no query, which may hold one too."""
    if url.get_backend_name() == "sqlite":
        return f"'{printable(str(url.database), 300)}'"
    open_part = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    return printable(open_part.render_as_string(hide_password=True), 300)


def make_engine(url: URL, server: bool, **options: Any) -> Engine:
    """Return connections that commit as this module's docstring says.

    Args:
        url: a file of SQLite's, or a server of PostgreSQL's.
        server: it is the latter.
        options: further ones of SQLAlchemy's create_engine.

    Raises:
        LedgerUnavailable: psycopg is not installed.
    """
    if server:
        try:
            engine = create_engine(url, pool_pre_ping=True, **options)
        except (ImportError, NoSuchModuleError):
            raise LedgerUnavailable(
                "a ledger in PostgreSQL needs psycopg; say pip install 'seedlock[postgresql]'"
            ) from None
        event.listen(engine, "connect", _prepare_server)
        return engine
    engine = create_engine(url, connect_args={"timeout": BUSY}, **options)
    event.listen(engine, "connect", _prepare_file)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_server(connection: Any, _record: object) -> None:
    # A server or a role may have it off, and would forget the last finished runs in a crash.
    connection.execute("SET synchronous_commit = on")
    connection.commit()


def _prepare_file(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions begin where `_begin` says, not where sqlite3 guesses.
    connection.isolation_level = None
    deadline = time.monotonic() + BUSY
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as problem:
            # The change into WAL does not wait for others by itself.
            if "locked" not in str(problem) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("seedlock_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
