"""`ROUND/ledger.jsonl`: every event, one per line, to be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.ledger.chain import START, canonical, head_text
from seedlock.evaluation.writing import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def export(events: Iterable[dict[str, Any]], path: str) -> str:
    """Write events to a file and return the head, `SEQUENCE:HASH`.

    The file is there whole or not at all; one that is there is replaced.

    Raises:
        OSError: it can't be written.
    """
    head = head_text(0, START)
    with whole_file(path) as file:
        for event in events:
            file.write(f"{canonical(event)}\n".encode())
            head = head_text(event["sequence"], event["hash"])
    return head
