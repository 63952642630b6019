"""The points that `seedlock check` looks at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

PASSED, FAILED, SKIPPED = "passed", "failed", "not looked at"


@dataclass
class Point:
    """One point.

    Attributes:
        name: in a few words.
        status: `PASSED`, `FAILED` or `SKIPPED`.
        said: what was found.
        cure: what to do about it; empty where there is nothing to do.
        details: further lines.
    """

    name: str
    status: str
    said: str
    cure: str = ""
    details: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready."""
        return asdict(self)


def passed(name: str, said: str, details: list[str] | None = None) -> Point:
    """Return a point that is fulfilled."""
    return Point(name, PASSED, said, details=details or [])


def failed(name: str, said: str, cure: str, details: list[str] | None = None) -> Point:
    """Return a point that is not."""
    return Point(name, FAILED, said, cure, details or [])


def skipped(name: str, because: str) -> Point:
    """Return a point that could not be looked at since another failed."""
    return Point(name, SKIPPED, f"since {because}")
