"""SQLite as it is set, a disk that is full, URLs, and no password in anything that is said."""

from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from seedlock.errors import BadLedger, LedgerUnavailable
from seedlock.evaluation.full_disk import told
from seedlock.evaluation.ledger.ledger import Ledger
from tests.evaluation.ledger.made import RECORD, Clock, digest, fill, play
from tests.interpreter import run

SEEDLOCK = str(Path(sys.executable).parent / "seedlock")
SECRET = "geheim-7"


def test_what_was_finished_survives_a_loss_of_power(ledger: Ledger) -> None:
    """Each commit is synced to the disk before it returns: WAL mode with synchronous FULL (2)."""
    with ledger.database.write() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()

    assert (mode, synchronous) == ("wal", 2)


def test_a_full_disk_leaves_the_ledger_whole(small_disk: Path, clock: Clock) -> None:
    """What did not fit was not done at all; with room again it goes on."""
    path = small_disk / "ledger.db"
    with Ledger.open(path, clock=clock) as ledger:
        fill(ledger)
        ledger.add_all([(digest(name), name, "public", 9) for name in map(str, range(50))])
        with pytest.raises(OSError, match="No space") as problem:
            while True:
                (lease,) = ledger.lease("w", 60)
                ledger.finish(lease, "done", "runs/x.json", RECORD, ["x" * 5000])
        head = ledger.head()
        assert problem.value.errno == errno.ENOSPC
        assert str(path) in told(problem.value)
        assert ledger.verify([head]).problems == []
        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        for held in ledger.held():
            ledger.finish(held.lease, "done")
        assert ledger.lease("w", 60)
        assert ledger.verify([head]).problems == []


def test_a_full_disk_ends_a_command_with_its_status(small_disk: Path, clock: Clock) -> None:
    """74 and the file's name, where the ledger can't be made or its export be written."""
    with Ledger.open(small_disk / "ledger.db", clock=clock) as ledger:
        play(ledger, clock)
    with (small_disk / "ballast").open("wb", 0) as ballast, pytest.raises(OSError, match="No spa"):
        while True:
            ballast.write(bytes(1 << 12))
    exported = small_disk / "ledger.jsonl"

    done = run(
        [SEEDLOCK, "ledger", "export", str(small_disk), "-o", str(exported)], check=False
    )  # fmt: skip

    assert done.status == 74, done.err
    assert done.err.count("\n") == 1
    assert str(small_disk / "ledger.") in done.err
    assert not list(small_disk.glob("*.jsonl*"))
    (small_disk / "ballast").unlink()
    with Ledger.open(small_disk, create=False) as ledger:
        assert ledger.verify().problems == []


def test_an_export_that_does_not_fit_leaves_nothing(small_disk: Path, played: Ledger) -> None:
    """The file's name is told, and what was there before stays."""
    (small_disk / "ledger.jsonl").write_text("old")
    (small_disk / "ballast").write_bytes(bytes((1 << 20) - 3 * (1 << 12)))

    with pytest.raises(OSError, match="No space") as problem:
        played.export(str(small_disk / "ledger.jsonl"))

    assert f"'{small_disk}/ledger.jsonl' can't be written" in told(problem.value)
    assert sorted(each.name for each in small_disk.iterdir()) == ["ballast", "ledger.jsonl"]
    assert (small_disk / "ledger.jsonl").read_text() == "old"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/ledger",
        f"postgresql://me:{SECRET}@127.0.0.1:1/ledger",
        f"postgresql://127.0.0.1:1/ledger?user=me&password={SECRET}",
        f"postgresql://127.0.0.1:1/ledger?password={SECRET}&sslmode={SECRET}",
        f"postgresql://me:{SECRET}@127.0.0.1:port/ledger",
        f"mysql://me:{SECRET}@127.0.0.1:1/ledger",
        f"nonsense://me:{SECRET}@127.0.0.1/ledger",
        f"://me:{SECRET}@127.0.0.1",
        f"sqlite://me:{SECRET}@/ledger.db",
        f"sqlite:///none/{'x' * 20}.db?password={SECRET}",
    ],
)
def test_no_password_is_told(url: str) -> None:
    """Neither of what is refused nor of a server that is not there, in no part of the error."""
    with pytest.raises((BadLedger, LedgerUnavailable)) as problem:
        Ledger.open(url, create=False)

    assert SECRET not in "".join(traceback.format_exception(problem.value))
    assert SECRET not in repr(vars(problem.value))


@pytest.mark.parametrize("words", [["status"], ["ledger", "verify"]])
def test_no_password_is_printed(words: list[str]) -> None:
    """One line, and the way to the section that explains it."""
    done = run([SEEDLOCK, *words, f"postgresql://me:{SECRET}@127.0.0.1:1/ledger"], check=False)

    assert done.status == 78
    assert SECRET not in done.out + done.err
    assert done.err.startswith("seedlock: the ledger postgresql+psycopg://me@127.0.0.1:1/ledger ")
    assert done.err.count("\n") == 1


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """Another program's database, another file, a folder that is not there, memory; and none is
    made by who only looks."""
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE x (y)")
    text = tmp_path / "text.db"
    text.write_text("no database, but long enough to be looked at as one\n" * 50)
    newer = tmp_path / "newer.db"
    Ledger.open(newer).close()
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE round SET version = 2")

    for where, create in (
        (str(other), True), (str(other), False), (str(text), True), (str(text), False),
        (str(newer), True), (str(tmp_path / "none" / "ledger.db"), True), ("sqlite://", True),
        (str(tmp_path / "missing.db"), False), (str(tmp_path), False),
    ):  # fmt: skip
        with pytest.raises(BadLedger):
            Ledger.open(where, create=create)
    assert sorted(each.name for each in tmp_path.iterdir() if "-" not in each.name) == [
        "newer.db", "other.db", "text.db"
    ]  # fmt: skip
    assert text.read_text().startswith("no database")
    with pytest.raises(LedgerUnavailable):
        Ledger.open("postgresql://127.0.0.1:1/ledger")
