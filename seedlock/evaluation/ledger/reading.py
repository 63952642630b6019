"""The events of a ledger, read: from its table, and from an exported file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from seedlock.errors import BadLedger, printable
from seedlock.evaluation.ledger.chain import canonical
from seedlock.evaluation.ledger.tables import Event

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from sqlalchemy import Connection

PARTLY = 2000
"""Events that are read at once."""


def read_events(connection: Connection, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table as events; what can't be read as JSON stays the text it is."""
    columns = Event.__table__.columns
    while True:
        chosen = select(*columns).where(Event.sequence > after).order_by(Event.sequence)
        rows = connection.execute(chosen.limit(PARTLY)).mappings().all()
        for row in rows:
            after = row["sequence"]
            yield {**row, "content": _content(row["content"])}
        if len(rows) < PARTLY:
            return


def _content(text: str) -> Any:
    try:
        content = json.loads(text)
        return content if canonical(content) == text else text
    except (ValueError, RecursionError):
        return text


def read_file(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Yield the events of an exported file, in its order.

    A line that is not the canonical JSON of an object comes as one with that line as `content`, so
    that its hash does not fit.

    Raises:
        BadLedger: the file can't be read.
    """
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                yield _event(line, number)
    except OSError as problem:
        raise BadLedger(
            f"'{printable(str(path), 300)}' can't be read: {problem.strerror}; allowed: what "
            "seedlock ledger export wrote"
        ) from None


def _event(line: bytes, number: int) -> dict[str, Any]:
    try:
        text = line.decode()
        event = json.loads(text)
        if isinstance(event, dict) and f"{canonical(event)}\n" == text:
            return event
    except (ValueError, RecursionError):
        pass
    return {"sequence": number, "content": line.decode(errors="replace")}
