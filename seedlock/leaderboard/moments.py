"""Moments as the server keeps them, milliseconds since 1970, for people and programs."""

from __future__ import annotations

from datetime import datetime, timezone


def text(moment: int | None) -> str | None:
    """Return a moment as RFC 3339 has it, in UTC and whole seconds; None stays None."""
    return None if moment is None else stamp(moment)


def stamp(moment: int) -> str:
    """Return the same of a moment that there is."""
    return datetime.fromtimestamp(moment // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
