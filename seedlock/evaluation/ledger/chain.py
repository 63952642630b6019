"""Events bound to one another by their hashes, as docs/ledger.md says it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

START = "0" * 64
"""What stands for the hash before the first event."""

KEYS = frozenset(
    {"sequence", "time", "round", "submission", "seed_index", "attempt", "kind", "worker",
     "content", "previous", "hash"}
)  # fmt: skip

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def canonical(value: Any) -> str:
    """Return the one JSON text of a value.

    Raises:
        ValueError: it holds a float, whose text depends on who writes it.
    """
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError(f"{value!r} is a float")
    if isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            _refuse_floats(each)


def digest(event: dict[str, Any]) -> str:
    """Return the hash of an event: of all of it but the hash, the hash before included."""
    content = {name: value for name, value in event.items() if name != "hash"}
    # A lone half of a character, which JSON may hold, has no UTF-8 and makes no valid event.
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def time_text(milliseconds: int) -> str:
    """Return a time as events have it.

    Args:
        milliseconds: since 1970, UTC.
    """
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"


def milliseconds(text: str) -> int:
    """Return the milliseconds since 1970 that an event's time says.

    Raises:
        ValueError: it is no such time.
    """
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    since = (moment - _EPOCH) // timedelta(milliseconds=1)
    if time_text(since) != text:
        raise ValueError(f"'{text}' is not written as 2026-12-01T12:00:00.123Z")
    return since


def whole(value: Any) -> Any:
    """Return a value as an event may hold it: each float as its shortest decimal text, halves of
    characters as question marks."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {whole(str(name)): whole(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole(each) for each in value]
    return value


def head_text(sequence: int, hash_: str) -> str:
    """Return a head of the chain as people note it: `SEQUENCE:HASH`."""
    return f"{sequence}:{hash_}"


def read_head(text: str) -> tuple[int, str] | None:
    """Return sequence and hash of a noted head; None where the text is none."""
    sequence, colon, hash_ = text.strip().partition(":")
    right = colon and sequence.isascii() and sequence.isdigit() and len(sequence) < 19
    if not right or len(hash_) != 64 or set(hash_) - set("0123456789abcdef"):
        return None
    return int(sequence), hash_
