"""Which of several places that differ differs first, in the order of causation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.processes import Place
from seedlock.lineage import of_worker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedlock.evaluation.lockstep import Difference
    from seedlock.evaluation.traces import Run

SOURCES = ("seed", "unseeded", "entropy", "listing")
"""Kinds of events that bring something in from outside."""

_UNKNOWN = float("inf")


def root(a: Run, b: Run, found: dict[Place, Difference], candidates: list[Place]) -> Place:
    """Return the place that differs first in the order of causation.

    A child that was started before its parent parted differs for a reason of its own, and may be
    the parent's reason. Where it is not known when a place was started (a task of a pool), it
    comes before its parent only if something was brought in from outside there and not here.
    """
    known = {*a.streams, *b.streams}
    below: dict[Place | None, list[tuple[float, Place]]] = {}
    for place in candidates:
        parent = _parent(place, known)
        while parent is not None and parent not in candidates:
            place_above = _parent(parent, known)
            if place_above is None:
                break
            parent = place_above
        start = _start(a, b, place, parent)
        below.setdefault(parent if parent in candidates else None, []).append((start, place))

    def first(place: Place) -> Place:
        own = found[place]
        end = own.offsets[0] if place in a.streams else own.offsets[1]
        for start, child in sorted(below.get(place, ()), key=lambda each: (each[0], each[1].order)):
            if start <= end or (start == _UNKNOWN and _brings(found[child]) and not _brings(own)):
                return first(child)
        return place

    roots = below.get(None) or [(0, place) for place in candidates]
    return first(min(roots, key=lambda each: (each[0], each[1].order))[1])


def _parent(place: Place, known: Iterable[Place]) -> Place | None:
    path = place.path
    while path:
        path = path.rpartition("/")[0]
        for number in range(place.number, -1, -1):
            if (above := Place(path, number)) in known:
                return above
    return None


def _start(a: Run, b: Run, place: Place, parent: Place | None) -> float:
    """Return the offset in the parent's events behind which a place was started."""
    if parent is None:
        return 0
    for run in (a, b):
        stream = run.streams.get(parent)
        path = place.path
        while stream is not None and len(path) > len(parent.path):
            if path in stream.children and not of_worker(path):
                return stream.children[path]
            path = path.rpartition("/")[0]
    return _UNKNOWN


def _brings(difference: Difference) -> bool:
    kind = (difference.first or difference.second or {}).get("kind")
    return kind in SOURCES or bool(difference.drawn)
