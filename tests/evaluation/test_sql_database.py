"""What databases have in common: transactions that hold, and troubles in the words of each."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Column, Connection, Integer, MetaData, String, Table, insert, make_url
from sqlalchemy.exc import IntegrityError

from seedlock.errors import BadLedger, LedgerUnavailable
from seedlock.evaluation.full_disk import told
from seedlock.evaluation.sql_database import SqlDatabase, parsed, shown

SECRET = "geheim-8"

TABLES = MetaData()
PAGES = Table(
    "pages", TABLES, Column("version", Integer, primary_key=True), Column("text", String)
)  # fmt: skip


class Notebook(SqlDatabase):
    """A database of one table."""

    what = "notebook"
    allowed = "a notebook"
    bad = BadLedger
    unavailable = LedgerUnavailable


class Patient(Notebook):
    """One whose users wait for rows that are there already."""

    let_through = (IntegrityError,)


def add(connection: Connection, version: int, text: str = "") -> None:
    """Write a row."""
    connection.execute(insert(PAGES).values(version=version, text=text))


def made(kind: type[Notebook], path: Path) -> Notebook:
    """Return one with its table and a row."""
    database = kind(URL.create("sqlite", database=str(path)))
    with database.write() as connection:
        database.wait_for_creation(connection)
        assert database.tables_of_others(connection, TABLES, "pages", 1) == set()
        TABLES.create_all(connection)
        add(connection, 1)
    return database


@pytest.fixture(name="notebook")
def _notebook(tmp_path: Path) -> Iterator[Notebook]:
    database = made(Notebook, tmp_path / "notes.db")
    yield database
    database.close()


def test_a_full_disk_is_told_with_the_file(notebook: Notebook, tmp_path: Path) -> None:
    """As every other file's: its path in quotes, once; and nothing of the transaction is there."""
    with pytest.raises(OSError, match="No space") as problem, notebook.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 10")
        add(connection, 2, "x" * 1_000_000)

    assert problem.value.errno == errno.ENOSPC
    assert told(problem.value).startswith(f"seedlock: '{tmp_path / 'notes.db'}' can't be written")
    with notebook.read() as connection:
        assert len(connection.execute(PAGES.select()).all()) == 1


def test_who_asks_for_it_sees_that_a_row_is_there(notebook: Notebook, tmp_path: Path) -> None:
    """For anybody else it is a database that refuses."""
    patient = made(Patient, tmp_path / "patient.db")

    with pytest.raises(IntegrityError), patient.write() as connection:
        add(connection, 1)
    with pytest.raises(LedgerUnavailable, match="the notebook '"), notebook.write() as connection:
        add(connection, 1)
    patient.close()


def test_another_version_is_refused(notebook: Notebook) -> None:
    """One's own tables of this version are nobody else's."""
    with notebook.read() as connection:
        assert notebook.tables_of_others(connection, TABLES, "pages", 1) is None
        with pytest.raises(BadLedger, match="is a notebook of version 1; allowed: 2; take"):
            notebook.tables_of_others(connection, TABLES, "pages", 2)


def test_what_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    """Another file, and no way to a file."""
    text = tmp_path / "text.db"
    text.write_text("no database, but long enough to be looked at as one\n" * 50)

    with pytest.raises(BadLedger, match="file is not a database; allowed: a notebook"):
        made(Notebook, text)
    with pytest.raises(LedgerUnavailable, match="does not answer: unable to open"):
        made(Notebook, tmp_path / "none" / "x.db")


@pytest.mark.parametrize(
    "given", ["", "notes.db", "mysql://host/x", "nonsense://host", "postgresql://host:port/x"]
)
def test_what_is_no_url_of_either_kind_is_none(given: str) -> None:
    """SQLite and PostgreSQL only."""
    assert parsed(given) is None


def test_a_server_is_asked_by_psycopg() -> None:
    """Also where the URL does not say so."""
    assert parsed("postgresql://host/x") == make_url("postgresql+psycopg://host/x")


def test_a_database_is_shown_without_its_password() -> None:
    """Also where the query holds one."""
    url = make_url(f"postgresql+psycopg://me:{SECRET}@host:5/x?password={SECRET}")

    assert shown(url) == "postgresql+psycopg://me@host:5/x"
