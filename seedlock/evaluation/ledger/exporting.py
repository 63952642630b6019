"""`ROUND/ledger.jsonl`: every event, one per line, to be published."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seedlock.evaluation import full_disk
from seedlock.evaluation.ledger.chain import START, canonical, head_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def export(events: Iterable[dict[str, Any]], path: str) -> str:
    """Write events to a file and return the head, `SEQUENCE:HASH`.

    The file is there whole or not at all; one that is there is replaced.

    Raises:
        OSError: it can't be written.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    head = head_text(0, START)
    try:
        with full_disk.naming(path), open(temporary, "w", encoding="utf-8", newline="") as file:
            for event in events:
                file.write(f"{canonical(event)}\n")
                head = head_text(event["sequence"], event["hash"])
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return head
