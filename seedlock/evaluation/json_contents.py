"""JSON by key path: where two documents differ, which of it is a metric, a time or an order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.findings import DIFFERENCE, KEY_ORDER, TIME_STAMP, Finding, shown
from seedlock.evaluation.time_stamps import looks_like_a_clock, names_time, same_but_for_time

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = "both look like a clock's time; under a name that says so it would be a time stamp"
SAME_TEXT = "the values are equal, the text is not: spaces, or another way to write a number"


def compare_json(file: str, first: bytes, second: bytes) -> Iterator[Finding]:
    """Compare two different JSON documents.

    Yields:
        A finding per value that differs, by its key path; one for the first object whose keys
        come in another order; one where nothing of this explains the difference.

    Raises:
        ValueError: one of them is no JSON.
    """
    found = list(_compare(file, "", _read(first), _read(second)))
    if not found:
        # Fail closed: the bytes differ, so that the run is not the same bit for bit.
        found = [Finding(file, "text", DIFFERENCE, note=SAME_TEXT)]
    return iter(found)


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError as problem:
        raise ValueError("nested too deep") from problem


def _compare(file: str, path: str, one: Any, other: Any, timed: bool = False) -> Iterator[Finding]:
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _objects(file, path, one, other, timed)
    elif isinstance(one, list) and isinstance(other, list):
        for index, (a, b) in enumerate(zip(one, other, strict=False)):
            yield from _compare(file, f"{path}[{index}]", a, b, timed)
        if len(one) != len(other):
            yield Finding(
                file, path or "length", DIFFERENCE, f"{len(one)} elements", f"{len(other)} elements"
            )
    elif type(one) is not type(other) or not _same(one, other):
        yield _value(file, path, one, other, timed)


def _objects(
    file: str, path: str, one: dict[str, Any], other: dict[str, Any], timed: bool
) -> Iterator[Finding]:
    common = [key for key in one if key in other]
    if common != [key for key in other if key in one]:
        first = next(
            place
            for place in zip(common, (key for key in other if key in one), strict=True)
            if place[0] != place[1]
        )
        yield Finding(file, path or "top level", KEY_ORDER, *map(shown, first))
    for key in common:
        below = f"{path}.{key}" if path else key
        yield from _compare(file, below, one[key], other[key], timed or names_time(key))
    for key in sorted(one.keys() ^ other.keys()):
        below = f"{path}.{key}" if path else key
        values = [shown(each[key]) if key in each else "absent" for each in (one, other)]
        yield Finding(file, below, DIFFERENCE, *values)


def _same(one: Any, other: Any) -> bool:
    # repr tells -0.0 from 0.0, and takes NaN for equal to itself.
    return repr(one) == repr(other)


def _value(file: str, path: str, one: Any, other: Any, timed: bool) -> Finding:
    values = _written(one), _written(other)
    numbers = _number(one) and _number(other)
    strings = isinstance(one, str) and isinstance(other, str)
    place = path or "top level"
    if (numbers and timed) or (strings and same_but_for_time(one, other)):
        return Finding(file, place, TIME_STAMP, *values)
    note = ""
    if looks_like_a_clock(one) and looks_like_a_clock(other):
        note = CLOCK
    elif isinstance(one, float) and isinstance(other, float):
        note = f"{one.hex()} and {other.hex()}"
    return Finding(file, place, DIFFERENCE, *values, note, metric=numbers)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _written(value: Any) -> str:
    return shown(json.dumps(value))
