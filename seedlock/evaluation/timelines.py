"""A run's course in few numbers, for drawing two runs side by side."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from seedlock.evaluation.lockstep import Reader
from seedlock.evaluation.processes import BLOCK, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedlock.evaluation.traces import Run, Stream

BINS = 500
"""At most so many bins are drawn."""

_KIND = re.compile(rb'"kind":"([a-z_]+)"')
_DRAW = re.compile(rb'^\{"kind":"entropy",.*\n', re.MULTILINE)
_NUMBER = re.compile(rb'"step":(\d+)')


@dataclass(frozen=True)
class Timeline:
    """One place's course in two runs; pairs are (first run, second run).

    Attributes:
        place: empty for the first process.
        events: number of events.
        kinds: events by kind.
        steps: number of optimizer steps that were begun.
        width: steps per bin, 1 or more.
        equal: for each bin, whether all its events are equal in both runs. Bookkeeping of the
            process (`kept`, `names`) is not told apart here.
    """

    place: str
    events: tuple[int, int]
    kinds: tuple[dict[str, int], dict[str, int]]
    steps: tuple[int, int]
    width: int
    equal: tuple[bool, ...]


def timeline(a: Run, b: Run) -> list[Timeline]:
    """Return the course of each place, the first process before its children."""
    return [
        _of(a.streams.get(place), b.streams.get(place), place)
        for place in sorted({*a.streams, *b.streams}, key=lambda place: place.order)
    ]


def _of(one: Stream | None, other: Stream | None, place: Place) -> Timeline:
    steps = _steps(one), _steps(other)
    total = max(steps)
    width = max(1, -(-total // BINS))
    equal = [True] * -(-total // width)
    mine, theirs = _groups(one), _groups(other)
    first, second = next(mine, None), next(theirs, None)
    while first is not None or second is not None:
        step = min(group[0] for group in (first, second) if group is not None)
        if first != second:
            equal[min(step // width, len(equal) - 1)] = False
        here = first is not None and first[0] == step, second is not None and second[0] == step
        first = next(mine, None) if here[0] else first
        second = next(theirs, None) if here[1] else second
    return Timeline(
        place.name,
        (one.events if one else 0, other.events if other else 0),
        (_kinds(one), _kinds(other)),
        steps,
        width,
        tuple(equal),
    )


def _blocks(stream: Stream | None) -> Iterator[bytes]:
    if stream is None:
        return
    reader = Reader(stream)
    while ready := min(reader.lines(BLOCK), 2 * BLOCK):
        block = reader.peek(ready)
        block = block[: block.rfind(b"\n") + 1] or reader.peek(reader.lines(BLOCK))
        reader.skip(block)
        yield block


def _kinds(stream: Stream | None) -> dict[str, int]:
    found: Counter[bytes] = Counter()
    for block in _blocks(stream):
        found.update(_KIND.findall(block))
    return {kind.decode(): count for kind, count in found.most_common()}


def _steps(stream: Stream | None) -> int:
    if stream is None or not stream.size:
        return 0
    last = stream.before(stream.size, 1)[-1].get("step")
    return last + 1 if isinstance(last, int) else 1


def _groups(stream: Stream | None) -> Iterator[tuple[int, bytes]]:
    """Yield each step with a digest of its events, in the order of the trace; draws from the
    system aside, which differ without harm."""
    current = 0
    begun = blake2b(digest_size=16)
    empty = True
    for block in _blocks(stream):
        block = _DRAW.sub(b"", block)
        start = 0
        for found in _NUMBER.finditer(block):
            number = int(found[1])
            if number != current:
                line = block.rfind(b"\n", 0, found.start()) + 1
                begun.update(block[start:line])
                if line > start or not empty:
                    yield current, begun.digest()
                start, current = line, number
                begun, empty = blake2b(digest_size=16), True
        begun.update(block[start:])
        empty = False
    if not empty:
        yield current, begun.digest()
