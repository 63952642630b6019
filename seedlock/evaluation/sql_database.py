"""A database of SQLite in WAL mode or PostgreSQL: its transactions, and its troubles in few words.

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
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    DDL,
    URL,
    BigInteger,
    Connection,
    Engine,
    Integer,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from seedlock.errors import SeedlockError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import MetaData, Table

LARGE = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite's INTEGER is the only one that can be the row's own number."""

BUSY = 60.0
"""Seconds to wait for another process's transaction."""

NO_ROOM = frozenset({"53100", "SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})
"""What a server and SQLite call a full disk (https://www.postgresql.org/docs/current/
errcodes-appendix.html, https://www.sqlite.org/rescode.html#ioerr_shmsize); the last is about the
index of the log, which a reader needs too."""

NO_DATABASE = ("file is not a database", "database disk image is malformed")
"""What SQLite says, at the beginning, of a file that is something else."""

CREATION = 0x7365656C6F636B
"""Number of PostgreSQL's advisory lock under which tables are made."""


class SqlDatabase:
    """Transactions on one database; who inherits says what it is called, and makes the tables.

    Args:
        url: a file of SQLite's, or a server of PostgreSQL's.
        options: further ones of SQLAlchemy's create_engine.

    Attributes:
        shown: where it is, without a password.
        server: whether it is PostgreSQL's.

    Raises:
        SeedlockError: `unavailable`, since psycopg is not installed.
    """

    what: ClassVar[str]
    """Its name in messages, as `ledger`."""

    allowed: ClassVar[str]
    """Which databases there may be, for messages."""

    bad: ClassVar[type[SeedlockError]]
    """Raised where it is the database of something else."""

    unavailable: ClassVar[type[SeedlockError]]
    """Raised where it does not answer, or refuses."""

    of_others: ClassVar[tuple[str, ...]] = ()
    """Parts of what a database says where its tables are others or guard themselves."""

    let_through: ClassVar[tuple[type[SQLAlchemyError], ...]] = ()
    """Errors of SQLAlchemy's that who writes waits for."""

    def __init__(self, url: URL, **options: Any) -> None:
        self._url = url
        self.shown = shown(url)
        self.server = url.get_backend_name() == "postgresql"
        with self.troubles():
            self._engine = self._make_engine(options)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, undone by an exception.

        Raises:
            SeedlockError: `unavailable`, or `bad`.
            SQLAlchemyError: one of `let_through`.
            OSError: the disk is full.
        """
        with self.troubles(), self._engine.connect() as connection:
            connection.execution_options(seedlock_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state from its beginning to its end; raises as `write`."""
        with self.troubles(), self._engine.connect() as connection:
            if self.server:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()

    def wait_for_creation(self, connection: Connection) -> None:
        """Let nobody else make tables until this transaction ends; SQLite has one writer anyway."""
        if self.server:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({CREATION})"))

    def tables_of_others(
        self, connection: Connection, mine: MetaData, holder: str, version: int
    ) -> set[str] | None:
        """Return the names of the tables that are there; None where all of one's own are.

        Args:
            connection: of a transaction.
            mine: one's own tables.
            holder: name of the one that holds the version.
            version: that is known.

        Raises:
            SeedlockError: `bad`, they are of another version.
        """
        names = set(inspect(connection).get_table_names())
        if not set(mine.tables) <= names:
            return names
        found = connection.execute(text(f"SELECT version FROM {holder}")).scalar()
        if found != version:
            raise self.bad(
                f"{self.shown} is a {self.what} of version {found}; allowed: {version}; take the "
                "seedlock that wrote it"
            )
        return None

    @contextmanager
    def troubles(self) -> Iterator[None]:
        """Say what a database says in the words of the house, without its statements."""
        try:
            yield
        except self.let_through:
            raise
        except DBAPIError as problem:
            raise self._told(problem) from None
        except SQLAlchemyError as problem:
            raise self.unavailable(self._line(str(problem))) from None

    def _told(self, problem: DBAPIError) -> Exception:
        said = str(problem.orig)
        code = getattr(problem.orig, "sqlstate", getattr(problem.orig, "sqlite_errorname", None))
        if said == "database or disk is full" or code in NO_ROOM:
            name = self.shown if self.server else str(self._url.database)
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        if said.startswith(NO_DATABASE) or any(each in said for each in self.of_others):
            return self.bad(f"{self.shown}: {said}; allowed: {self.allowed}")
        return self.unavailable(self._line(said))

    def _line(self, said: str) -> str:
        line = " ".join(said.split())
        secrets = [self._url.password, *(str(each) for each in self._url.query.values())]
        for secret in secrets:
            line = line.replace(str(secret), "***") if secret else line
        return (
            f"the {self.what} {self.shown} does not answer: {line}; see that it runs and may be "
            "used"
        )

    def _make_engine(self, options: dict[str, Any]) -> Engine:
        if not self.server:
            engine = create_engine(self._url, connect_args={"timeout": BUSY}, **options)
            event.listen(engine, "connect", _prepare_file)
            event.listen(engine, "begin", _begin)
            return engine
        try:
            engine = create_engine(self._url, pool_pre_ping=True, **options)
        except (ImportError, NoSuchModuleError):
            raise self.unavailable(
                f"a {self.what} in PostgreSQL needs psycopg; say pip install 'seedlock[postgresql]'"
            ) from None
        event.listen(engine, "connect", _prepare_server)
        return engine


def only_added_to(table: Table, refusal: str) -> None:
    """Have the database refuse changes of a table's rows, from when it is made.

    That is against an accident with another program: who owns the database can drop a trigger.

    Args:
        table: is not made yet.
        refusal: the error's text, without quotes.
    """
    name = table.name
    statements = [
        ("sqlite", f"CREATE TRIGGER {name}_no_{what.lower()} BEFORE {what} ON {name} "
         f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END")
        for what in ("UPDATE", "DELETE")
    ]  # fmt: skip
    statements += [
        ("postgresql", f"CREATE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
         f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"),
        ("postgresql", f"CREATE TRIGGER {name}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON "
         f"{name} FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()"),
    ]  # fmt: skip
    for dialect, statement in statements:
        event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


def parsed(given: str) -> URL | None:
    """Return a URL of SQLite or PostgreSQL, the latter with psycopg; None where it is none.

    What can't be read may hold a password anywhere: who refuses it must not show it.
    """
    try:
        url = make_url(given)
        known = url.get_backend_name() in ("sqlite", "postgresql")
    except (ArgumentError, ValueError):
        return None
    if not known:
        return None
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def shown(url: URL) -> str:
    """Return a URL for people: no password, and no query, which may hold one too."""
    if url.get_backend_name() == "sqlite":
        return f"'{printable(str(url.database), 300)}'"
    open_part = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    return printable(open_part.render_as_string(hide_password=True), 300)


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
