"""One spelling of JSON, of digests and of moments, so that equal content has equal bytes."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timezone
from typing import Any

HEX_32 = re.compile(r"[0-9a-f]{64}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

STAMP = "%Y-%m-%dT%H:%M:%SZ"
"""Moments in files: UTC, to the second."""


def canonical(content: Any) -> bytes:
    """Return JSON in its one spelling: keys sorted, no spaces, UTF-8, nothing escaped without need.

    Raises:
        ValueError: it holds what JSON has no word for, as NaN, or half a character, or is nested
            too deep.
    """
    try:
        text = json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except RecursionError as problem:
        raise ValueError("it is nested too deep") from problem
    return text.encode("utf-8")


def strict(raw: bytes) -> Any:
    """Return the content of JSON of which no two readers have different opinions.

    Raises:
        ValueError: it is no JSON in UTF-8, or a name stands twice in one object, of which some
            readers take the first and others the last.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name stands twice")
        return found

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse)
    except RecursionError as problem:
        raise ValueError("it is nested too deep") from problem


def strict_object(raw: bytes) -> dict[str, Any]:
    """Return the content of strict JSON that is an object.

    Raises:
        ValueError: it is no strict JSON, or no object.
    """
    content = strict(raw)
    if not isinstance(content, dict):
        raise ValueError("no object")
    return content


def sha256(raw: bytes) -> str:
    """Return the digest of bytes as files have it, `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def now() -> datetime:
    """Return this machine's time in UTC, without parts of a second."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    """Return a moment with a time zone as files have it."""
    return moment.astimezone(timezone.utc).strftime(STAMP)


def moment(text: object) -> datetime:
    """Return the moment that `stamp` wrote.

    Raises:
        ValueError: it is another text.
    """
    if not isinstance(text, str):
        raise ValueError(text)
    found = datetime.strptime(text, STAMP).replace(tzinfo=timezone.utc)
    if stamp(found) != text:
        raise ValueError(text)
    return found


def from_seconds(seconds: int) -> datetime:
    """Return the moment so many seconds after 1970 began.

    Raises:
        ValueError: no calendar goes so far.
    """
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError) as problem:
        raise ValueError(seconds) from problem
