"""The seal of a recorded run, for its replay."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, printable
from seedlock.evaluation.sealing import limits
from seedlock.evaluation.sealing.guarantees import PROMISES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MOST = {
    "memory": limits.MOST_BYTES, "processors": limits.MOST_PROCESSORS,
    "processes": limits.MOST_PROCESSES, "seconds": limits.MOST_SECONDS, "disk": limits.MOST_BYTES,
}  # fmt: skip
"""Largest value of each limit."""


def was_sealed(content: Mapping[str, Any]) -> bool:
    """Tell whether a record is of a sealed run."""
    return content["guarantees"] is not None


def limits_of(content: Mapping[str, Any], seconds: float | None) -> limits.Limits:
    """Return the limits of a sealed run.

    Args:
        content: its record.
        seconds: in place of the recorded time, or None.

    Raises:
        BadRecord: they are none that a run can have.
    """
    recorded = dict(content["limits"] or {})
    if seconds is not None:
        recorded["seconds"] = seconds
    for name, most in MOST.items():
        value = recorded.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
            raise BadRecord(
                f"the record's limit of {name} is {printable(str(value))}; allowed: a number above "
                f"0 and up to {most:g}"
            )
    of = {each.name: recorded[each.name] for each in fields(limits.Limits)}
    for name in ("memory", "processes", "disk"):
        of[name] = int(of[name])
    return limits.Limits(**of)


def done_without(content: Mapping[str, Any], accept: Collection[str]) -> frozenset[str]:
    """Return the promises that a replay can do without: those that the recorded run did without,
    and those that whoever replays names."""
    kept = content["guarantees"]
    if kept is None:  # whoever replays seals what was not
        return frozenset(accept)
    return frozenset(accept) | {
        name for name in PROMISES if not (kept.get(name) or {}).get("held", False)
    }


def lost(content: Mapping[str, Any], made: Mapping[str, Any]) -> list[str]:
    """Return the promises that were kept in the recorded run and not in its replay."""
    before, now = content["guarantees"] or {}, made["guarantees"] or {}
    return [
        name for name in PROMISES
        if (before.get(name) or {}).get("held") and not (now.get(name) or {}).get("held")
    ]  # fmt: skip
