"""Is a ledger what was written, all of it and nothing else?

The chain finds a row that was changed, taken out, put in or moved. Somebody who computes the whole
chain anew, or cuts its end off, is found by a head that was noted elsewhere before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from seedlock.evaluation.ledger.chain import START, digest, head_text
from seedlock.evaluation.ledger.course import Course, Impossible
from seedlock.evaluation.ledger.reading import read_events, read_file
from seedlock.evaluation.ledger.states import HELD
from seedlock.evaluation.ledger.status import COLUMNS
from seedlock.evaluation.ledger.tables import Round, Run, Submission

if TYPE_CHECKING:
    import os

    from sqlalchemy import Connection

    from seedlock.evaluation.ledger.database import Database

Heads = Iterable[tuple[int, str]]
"""Sequence numbers and hashes that were noted elsewhere."""


@dataclass
class Findings:
    """What was found.

    Attributes:
        head: `SEQUENCE:HASH` of the last event.
        events: how many there are.
        problems: lines; none where the ledger is whole.
    """

    head: str = head_text(0, START)
    events: int = 0
    problems: list[str] = field(default_factory=list)


def verify(database: Database, heads: Heads = ()) -> Findings:
    """Check a ledger's chain, that its events could happen, and that its state follows from them.

    Args:
        database: the ledger's.
        heads: noted elsewhere.
    """
    with database.read() as connection:
        last = connection.execute(select(Round.sequence, Round.hash)).one()
        found, course = _check(read_events(connection), heads)
        if found.head != head_text(*last):
            found.problems.append(
                f"the table 'round' says that the last event is {head_text(*last)}, the events "
                f"end at {found.head}: rows were taken out or put in at the end"
            )
        if not found.problems:
            found.problems += _state(connection, course)
    return found


def verify_file(path: str | os.PathLike[str], heads: Heads = ()) -> Findings:
    """Check an exported file: its chain, and that its events could happen.

    Raises:
        BadLedger: the file can't be read.
    """
    return _check(read_file(path), heads)[0]


def _check(events: Iterable[dict[str, Any]], heads: Heads) -> tuple[Findings, Course]:
    found, course = Findings(), Course()
    noted: dict[int, set[str]] = {}
    for sequence, hash_ in heads:
        noted.setdefault(sequence, set()).add(hash_)
    sequence, previous = 0, START
    for event in events:
        number = event.get("sequence")
        said = _row(event, sequence, previous)
        if said is not None:
            found.problems.append(said)
        elif not found.problems:
            try:
                course.take(event)
            except Impossible as problem:
                found.problems.append(f"row {number}: {problem}")
        sequence = number if isinstance(number, int) else sequence + 1
        previous = str(event.get("hash"))
        found.events += 1
        for hash_ in sorted(noted.pop(sequence, set()) - {previous}):
            found.problems.append(
                f"row {sequence}: its hash is {previous}, and was noted elsewhere as {hash_}: the "
                "ledger was written anew"
            )
    noted.pop(0, None)
    for missing in sorted(noted):
        found.problems.append(
            f"row {missing} was noted elsewhere and is not there; the ledger ends at row {sequence}"
        )
    found.head = head_text(sequence, previous)
    return found, course


def _row(event: dict[str, Any], sequence: int, previous: str) -> str | None:
    """Return what is wrong with a row of its own and with its place."""
    number = event.get("sequence")
    if not isinstance(number, int) or number <= sequence:
        return f"row {number} follows row {sequence}: it was put in or moved"
    if number > sequence + 1:
        missing = f"row {sequence + 1}"
        if number > sequence + 2:
            missing = f"rows {sequence + 1} to {number - 1}"
        return f"{missing} taken out: after row {sequence} comes row {number}"
    try:
        right = digest(event)
    except (ValueError, RecursionError):
        right = ""
    if event.get("hash") != right:
        return f"row {number} was changed: its hash is {event.get('hash')}, its content's {right}"
    before = event.get("previous")
    if before != previous:
        return (
            f"row {number} does not follow: it says that the hash before is {before}, row "
            f"{sequence} has {previous}; one of them was replaced or put in"
        )
    return None


def _state(connection: Connection, course: Course) -> list[str]:
    """Return where the state is not what follows from the events."""
    columns = (Round.name, Round.policy, Round.freeze, Round.retries)
    row = connection.execute(select(*columns)).one()
    follows = course.round or (None, None, None, None)
    problems = _differences("the round", dict(zip(row._fields, follows, strict=True)), row)
    digests = {}
    for row in connection.execute(select(*Submission.__table__.columns)):
        digests[row.id] = row.digest
        entry = course.submissions.pop(row.digest, None)
        name = f"submission {row.name} ({row.digest})"
        if entry is None:
            problems.append(f"table submissions: {name} was never added")
            continue
        counts = {COLUMNS[state]: number for state, number in entry.counts.items()}
        plain = ("name", "visibility", "seeds", "started", "retries", "timed", "timed_ms")
        expected = {each: getattr(entry, each) for each in plain} | counts
        problems += _differences(f"table submissions: {name}", expected, row)
    problems += [f"table submissions: {digest} is missing" for digest in course.submissions]
    for row in connection.execute(select(*Run.__table__.columns)):
        key = (digests.get(row.submission_id, ""), row.seed_index, row.attempt)
        name = f"table runs: {key[0]}, seed index {key[1]}, attempt {key[2]}"
        attempt = course.attempts.pop(key, None)
        if attempt is None:
            problems.append(f"{name} was never queued")
            continue
        problems += _differences(name, vars(attempt), row)
        if (row.lease_end is not None) != (row.state in HELD):
            problems.append(f"{name}: is {row.state} and has lease_end {row.lease_end}")
    return problems + [
        f"table runs: {digest}, seed index {index}, attempt {number} is missing"
        for digest, index, number in course.attempts
    ]


def _differences(name: str, expected: dict[str, Any], row: Any) -> list[str]:
    return [
        f"{name}: {column} is {getattr(row, column)!r}; by the events it is {right!r}"
        for column, right in expected.items()
        if getattr(row, column) != right
    ]
