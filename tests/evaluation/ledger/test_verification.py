"""What was done to a ledger by hand is found, and named.

tests/services/test_ledger_postgresql.py runs these tests against PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from seedlock.errors import BadLedger
from seedlock.evaluation.ledger.chain import START, canonical, digest
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.ledger.verification import verify_file


def go_around(ledger: Ledger, *statements: str) -> None:
    """Do what the triggers are against: take them away first."""
    drops = (
        ["DROP TRIGGER IF EXISTS events_no_change ON events"]
        if ledger.database.server
        else ["DROP TRIGGER events_no_update", "DROP TRIGGER events_no_delete"]
    )
    with ledger.database.write() as connection:
        for statement in (*drops, *statements):
            connection.execute(text(statement))


def rewrite(ledger: Ledger, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the events and compute the whole chain anew, as somebody does who knows how."""
    events = list(ledger.events())
    change(events)
    previous = START
    for number, event in enumerate(events, 1):
        event |= {"sequence": number, "previous": previous}
        previous = event["hash"] = digest(event)
    go_around(ledger, "DELETE FROM events")
    with ledger.database.write() as connection:
        columns = list(events[0])
        for event in events:
            connection.execute(
                text(
                    f"INSERT INTO events ({', '.join(columns)}) "
                    f"VALUES ({', '.join(f':{name}' for name in columns)})"
                ),
                {**event, "content": canonical(event["content"])},
            )
        connection.execute(
            text("UPDATE round SET sequence = :n, hash = :h"), {"n": len(events), "h": previous}
        )


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET worker = 'x' WHERE sequence = 5", "DELETE FROM events"]
)
def test_an_accident_is_refused(statement: str, played: Ledger) -> None:
    """The database itself refuses to change events, and to forget them."""
    with pytest.raises(DBAPIError, match="only ever added to"):  # noqa: SIM117
        with played.database._engine.begin() as connection:
            connection.execute(text(statement))
    with pytest.raises(BadLedger, match="only ever added to"):  # noqa: SIM117
        with played.database.write() as connection:
            connection.execute(text(statement))

    assert played.verify().problems == []


@pytest.mark.parametrize(
    "column, value",
    [
        ("time", "'2026-12-01T12:00:00.001Z'"),
        ("round", "'other'"),
        ("submission", "'sha256:'"),
        ("seed_index", "7"),
        ("attempt", "7"),
        ("kind", "'added'"),
        ("worker", "'other'"),
        ("content", "replace(content, 'reason', 'season')"),
        ("content", "replace(content, ':', ': ')"),
        ("content", "'{'"),
        pytest.param("content", f"'{'[' * 99999}'", id="deep content"),
        ("previous", f"'{START}'"),
        ("hash", f"'{START}'"),
    ],
)
def test_an_edited_row_is_named(column: str, value: str, played: Ledger) -> None:
    """Whatever of it was edited."""
    go_around(played, f"UPDATE events SET {column} = {value} WHERE sequence = 7")

    problems = played.verify().problems

    assert problems[0].startswith("row 7 was changed: its hash is ")
    assert len(problems) == (2 if column == "hash" else 1), problems


def test_an_edited_row_with_its_own_hash_is_found(played: Ledger) -> None:
    """The next one does not follow it."""
    event = list(played.events())[6]
    changed = digest({**event, "worker": "other"})
    go_around(
        played, f"UPDATE events SET worker = 'other', hash = '{changed}' WHERE sequence = 7"
    )  # fmt: skip

    problems = played.verify().problems

    assert problems[-1].startswith("row 8 does not follow: it says that the hash before is ")


def test_a_deleted_row_is_named(played: Ledger) -> None:
    """One, several, the first."""
    go_around(played, "DELETE FROM events WHERE sequence IN (1, 5, 9, 10)")

    assert played.verify().problems == [
        "row 1 taken out: after row 0 comes row 2",
        "row 5 taken out: after row 4 comes row 6",
        "rows 9 to 10 taken out: after row 8 comes row 11",
    ]


def test_a_deleted_row_whose_gap_was_closed_is_found(played: Ledger) -> None:
    """Moving the later ones up changes them."""
    last = played.head()[0]
    moves = [
        f"UPDATE events SET sequence = {number - 1} WHERE sequence = {number}"
        for number in range(6, last + 1)
    ]
    go_around(played, "DELETE FROM events WHERE sequence = 5", *moves)

    assert played.verify().problems[0].startswith("row 5 was changed")


def test_the_last_rows_are_missed(played: Ledger) -> None:
    """By the table's own head; where that was mended too, by one noted elsewhere."""
    sequence, hash_ = played.head()
    before = list(played.events())[sequence - 3]
    go_around(played, f"DELETE FROM events WHERE sequence > {sequence - 2}")
    (problem,) = played.verify().problems
    assert f"the last event is {sequence}:{hash_}, the events end at {sequence - 2}:" in problem
    with played.database.write() as connection:
        connection.execute(
            text("UPDATE round SET sequence = :n, hash = :h"),
            {"n": sequence - 2, "h": before["hash"]},
        )

    problems = played.verify([(3, list(played.events())[2]["hash"]), (sequence, hash_)]).problems

    assert problems[0] == (
        f"row {sequence} was noted elsewhere and is not there; the ledger ends at row "
        f"{sequence - 2}"
    )


def test_an_inserted_row_is_found(played: Ledger) -> None:
    """Between others there is no number free; at the end the head does not know it."""
    last = list(played.events())[-1]
    event = {**last, "sequence": last["sequence"] + 1, "previous": last["hash"]}
    event["hash"] = digest(event)
    columns = "time, round, submission, seed_index, attempt, kind, worker, content"
    go_around(
        played,
        f"INSERT INTO events (sequence, {columns}, previous, hash) "
        f"SELECT sequence + 1, {columns}, hash, '{event['hash']}' FROM events "
        f"WHERE sequence = {last['sequence']}",
    )

    problems = played.verify().problems

    assert any("rows were taken out or put in at the end" in each for each in problems)


def test_reordered_rows_are_found(played: Ledger) -> None:
    """Two rows that changed places."""
    go_around(
        played,
        "UPDATE events SET sequence = -1 WHERE sequence = 6",
        "UPDATE events SET sequence = 6 WHERE sequence = 7",
        "UPDATE events SET sequence = 7 WHERE sequence = -1",
    )

    problems = played.verify().problems

    assert [each.split(":")[0] for each in problems[:2]] == [
        "row 6 was changed", "row 7 was changed"
    ]  # fmt: skip


def test_a_chain_written_anew_is_found_by_a_noted_head(played: Ledger) -> None:
    """A whole chain proves itself only; a head that others saw proves the rest."""
    noted = played.head()
    earlier = (4, list(played.events())[3]["hash"])
    rewrite(
        played, lambda events: events[7].update(worker=events[7]["worker"], time=_later(events))
    )

    found = played.verify([noted, earlier])

    assert next(each for each in found.problems if each.startswith("row")).startswith(
        f"row {noted[0]}: its hash is "
    )
    assert not any(each.startswith("row 4:") for each in found.problems)


def _later(events: list[dict[str, Any]]) -> str:
    return str(events[-1]["time"])


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda events: events.pop(3), "its token is not the lease's"),
        (lambda events: _ends(events)[0].update(attempt=5), "no such attempt"),
        (lambda events: events.insert(5, dict(events[4])), "not queued"),
        (lambda events: events.pop(0), "no round was entered"),
        (lambda events: events[5].update(round="other"), "it is of round 'other'"),
        (lambda events: events[5].update(kind="noted"), "kind 'noted', which there is not"),
        (lambda events: _ends(events)[0]["content"].update(state="limit"), "leads to done"),
        (lambda events: _ends(events)[0]["content"].update(next=2), "leads to done"),
        (lambda events: _ends(events)[0]["content"].update(token=1), "its token is not"),
        (lambda events: _ends(events)[0].update(worker="other"), "its worker does not hold"),
        (lambda events: _ends(events)[0]["content"].pop("class"), "not that of kind 'ended'"),
        (lambda events: _ends(events)[0].update(content=[]), "no canonical JSON object"),
        (lambda events: events[1]["content"].update(seeds=10**12), "as many as a policy may have"),
    ],
)
def test_events_that_could_not_happen_are_found(
    change: Callable[[list[dict[str, Any]]], object], expected: str, played: Ledger
) -> None:
    """Also where their chain is whole: an attempt is hidden, doubled, ended by another."""
    rewrite(played, change)

    (problem, *_) = played.verify().problems

    assert problem.startswith("row ")
    assert expected in problem


def _ends(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in events if each["kind"] == "ended"]


@pytest.mark.parametrize(
    "statement, expected",
    [
        ("UPDATE runs SET state = 'done' WHERE state = 'limit'", "state is 'done'; by the events"),
        ("UPDATE runs SET record_sha256 = 'x' WHERE outcome = 'done'", "record_sha256 is 'x'"),
        ("UPDATE runs SET failures = 0 WHERE failures = 1", "failures is 0"),
        ("UPDATE runs SET lease_end = NULL WHERE state = 'running'", "lease_end None"),
        ("UPDATE runs SET attempt = 9 WHERE state = 'queued' AND attempt = 1", "never queued"),
        ("DELETE FROM runs WHERE state = 'queued'", "is missing"),
        ("UPDATE submissions SET seeds = 2 WHERE name = 'one'", "seeds is 2; by the events it is"),
        ("UPDATE submissions SET done = done + 1", "done is"),
        ("UPDATE submissions SET started = 0", "started is 0"),
        ("UPDATE submissions SET digest = 'x' WHERE name = 'one'", "(x) was never added"),
        ("UPDATE round SET retries = 9", "the round: retries is 9; by the events it is 1"),
        ("UPDATE round SET \"freeze\" = 'x'", "the round: freeze is 'x'"),
    ],
)
def test_a_state_that_does_not_follow_is_found(
    statement: str, expected: str, played: Ledger
) -> None:
    """A table that was edited is not what the events say."""
    with played.database.write() as connection:
        assert connection.execute(text(statement)).rowcount

    problems = played.verify().problems

    assert any(expected in each for each in problems), problems


def test_an_exported_file_is_checked_alike(played: Ledger, tmp_path: Path) -> None:
    """What is published can be checked by whoever has the file."""
    path = tmp_path / "ledger.jsonl"
    head = played.export(str(path))
    lines = path.read_bytes().splitlines(keepends=True)
    assert head == "{}:{}".format(*played.head())
    assert [json.loads(line) for line in lines] == list(played.events())
    found = verify_file(path, [played.head()])
    assert (found.problems, found.head, found.events) == ([], head, len(lines))

    for content, expected in (
        ([*lines[:4], *lines[5:]], "row 5 taken out"),
        ([*lines[:4], lines[5], lines[4], *lines[6:]], "row 5 taken out"),
        ([*lines[:4], lines[3], *lines[4:]], "row 4 follows row 4: it was put in or moved"),
        ([*lines[:4], b"{}\n", *lines[5:]], "row None follows row 4"),
        ([*lines[:4], lines[4].replace(b",", b", "), *lines[5:]], "row 5 was changed"),
        ([*lines[:4], b"[" * 99999 + b"\n", *lines[5:]], "row 5 was changed"),
        ([*lines[:4], b"\xff\n", *lines[5:]], "row 5 was changed"),
        (lines[:-1], f"row {len(lines)} was noted elsewhere and is not there"),
        ([], f"row {len(lines)} was noted elsewhere and is not there"),
    ):
        path.write_bytes(b"".join(content))
        problems = verify_file(path, [played.head()]).problems
        assert problems[0].startswith(expected), problems
    with pytest.raises(BadLedger, match="can't be read"):
        verify_file(tmp_path)


def test_a_row_that_lacks_what_binds_it_is_named(tmp_path: Path) -> None:
    """Though its own hash fits."""
    row = {"sequence": 1}
    row_with_hash = {**row, "hash": digest(row)}
    (tmp_path / "ledger.jsonl").write_text(f"{canonical(row_with_hash)}\n")

    (problem,) = verify_file(tmp_path / "ledger.jsonl").problems

    assert problem.startswith("row 1 does not follow: it says that the hash before is None")
