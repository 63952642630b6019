"""Where two runs first part: the place in the family of processes, the event, the element, and
guesses at the cause."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import NotComparable, printable
from seedlock.evaluation.causation import root
from seedlock.evaluation.causes import causes
from seedlock.evaluation.elements import Element, first_element
from seedlock.evaluation.evidence import Cause, Evidence
from seedlock.evaluation.lockstep import REMEMBERED, RESULTS, Difference, Reader, first_difference
from seedlock.evaluation.processes import Place, parse
from seedlock.evaluation.set_order import set_on_the_way
from seedlock.lineage import of_worker

if TYPE_CHECKING:
    from seedlock.evaluation.processes import Event, Process
    from seedlock.evaluation.traces import Run, Stream

CONTEXT = 3
"""Events before the first that differs."""

BATCHES = 1000
"""How many batches are looked at for another order."""

MUST_AGREE = ("schema", "mode", "algorithm", "steps")
"""What two traces' headers must agree in."""


@dataclass(frozen=True)
class Divergence:
    """The first event that differs, in the order of causation.

    Attributes:
        place: whose event; empty for the first process.
        index: its number in that place, from 0.
        step, kind, op, at: of the event (docs/trace.md).
        first, second: the event in both runs; None where that run has none at this index.
        differs: names of the fields that differ.
        element: the first element that differs, where it is known.
        causes: guesses, the likeliest first.
        places: other places that differ too.
        missing: `first` or `second` where that run has no such place at all.
        cut: the run that has no event here was cut off: its process did not come to its end.
        before: the events before, as in the first run, or in the second where that is the only one.
        source: the line at the call site, as the file is now, if it can be read.
    """

    place: str
    index: int
    step: int | None
    kind: str | None
    op: str | None
    at: str | None
    first: Event | None
    second: Event | None
    differs: tuple[str, ...]
    element: Element | None
    causes: tuple[Cause, ...]
    places: tuple[str, ...]
    missing: str | None = None
    cut: bool = False
    before: tuple[Event, ...] = ()
    source: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything, JSON-ready."""
        return dataclasses.asdict(self)


def first_divergence(a: Run, b: Run, context: int = CONTEXT) -> Divergence | None:
    """Return the first event that differs between two runs, or None.

    Args:
        a, b: the runs.
        context: number of events before to return with it.

    Raises:
        NotComparable: the traces were not taken in the same way.
        BadTrace: a line can't be read.
    """
    return _first(a, b, context, results=False)


def first_result_divergence(a: Run, b: Run, context: int = CONTEXT) -> Divergence | None:
    """Return the first result that differs (docs/trace.md), whatever seeds and states of
    generators do: None for runs under two seeds means that the program is deaf to them.

    Raises:
        NotComparable: the traces were not taken in the same way.
        BadTrace: a line can't be read.
    """
    return _first(a, b, context, results=True)


def _first(a: Run, b: Run, context: int, results: bool) -> Divergence | None:
    found: dict[Place, Difference] = {}
    for place in sorted({*a.streams, *b.streams}, key=lambda place: place.order):
        one, other = a.streams.get(place), b.streams.get(place)
        if one is not None and other is not None:
            _compare_headers(one.process, other.process)
            difference = first_difference(one, other, results)
        else:
            difference = _alone(one, other, results)
        if difference is not None:
            found[place] = difference
    if not found:
        return None
    # What the system gave, and what is missing because a process was killed, counts only where
    # nothing else differs.
    drawn = [place for place in found if found[place].minor]
    cut = [place for place in found if _cut(a, b, place, found[place])]
    certain = [place for place in found if place not in drawn and place not in cut]
    place = root(a, b, found, certain or drawn or cut)
    reached = [
        event
        for each in drawn
        if certain and each.path.startswith(place.path) and (event := found[each].first)
    ]
    if certain:
        found = {each: found[each] for each in found if each not in drawn}
    return _described(a, b, place, found, context, reached)


def _compare_headers(one: Process, other: Process) -> None:
    for name in MUST_AGREE:
        given = one.header.get(name), other.header.get(name)
        if one.header and other.header and given[0] != given[1]:
            texts = [printable(str(each), 80) for each in given]
            raise NotComparable(
                f"the traces of {one.name} and {other.name} have {name} {texts[0]} and {texts[1]}; "
                "allowed: equal ones; run both with the same REPRO_TRACE, REPRO_TRACE_STEPS and "
                "seedlock, and with or without xxhash"
            )


def _alone(one: Stream | None, other: Stream | None, results: bool) -> Difference | None:
    """The difference that a place makes which one run does not have."""
    stream = one or other
    assert stream is not None
    reader = Reader(stream)
    event: Event | None = None
    while event is None and (line := reader.line()):
        event = parse(line, stream.process.trace)
        if results and event.get("kind") not in RESULTS:
            event = None
    # How many workers a pool starts may be a matter of timing; what counts are tasks. And a
    # process without results does not show whether a seed is heard.
    if event is None and (results or _by_timing(stream.place)):
        return None
    begin = (0, 0) if event is None else (reader.begin, reader.begin)
    first, second = (event, None) if one is not None else (None, event)
    return Difference(first, second, max(reader.index - 1, 0), begin, ())


def _by_timing(place: Place) -> bool:
    return of_worker(place.path) or place.path.rpartition("/")[2] == "helper"


def _cut(a: Run, b: Run, place: Place, difference: Difference) -> bool:
    """Tell whether a process was killed where its trace has no event."""
    if difference.differs:
        return False
    run = a if difference.first is None else b
    stream = run.streams.get(place)
    if stream is not None:
        return not stream.process.ended
    task = any(piece.startswith("task.") for piece in place.path.split("/"))
    return any(
        process.terminated if task and process.header else not process.ended and not process.header
        for process in run.processes
    )


def _described(
    a: Run,
    b: Run,
    place: Place,
    found: dict[Place, Difference],
    context: int,
    reached: list[Event],
) -> Divergence:
    """Describe a place's difference.

    Args:
        reached: draws from the system in processes below, which may have reached it.
    """
    difference = found[place]
    first, second = difference.first, difference.second
    event = first or second or {}
    one, other = a.streams.get(place), b.streams.get(place)
    stream = one or other
    assert stream is not None
    offset = difference.offsets[0 if one is not None else 1]
    source = stream.process.source(event.get("at"))
    element = None
    pair = first is not None and second is not None and first.get("op") == second.get("op")
    if pair and first and second and one is not None and other is not None:
        element = first_element(
            first,
            second,
            (one.process.values, other.process.values),
            _names(one, offset, first),
        )
    known = Evidence(
        first, second, difference.differs,
        (one.process.report if one else {}, other.process.report if other else {}),
        cwd=str(stream.process.header.get("cwd", "")),
        source=source, element=element, seeds=(a.seed, b.seed),
        drawn=(*_sites(reached), *difference.drawn), strayed=difference.strayed,
        batches=_batches(one, other, difference), iterated=_iterated(stream.process, event),
    )  # fmt: skip
    return Divergence(
        place=place.name,
        index=difference.index,
        step=event.get("step"),
        kind=event.get("kind"),
        op=event.get("op"),
        at=event.get("at"),
        first=first,
        second=second,
        differs=difference.differs,
        element=element,
        causes=causes(known),
        places=tuple(each.name for each in found if each != place),
        missing="first" if one is None else "second" if other is None else None,
        cut=_cut(a, b, place, difference),
        before=tuple(stream.before(offset, context)),
        source=source,
    )


def _iterated(process: Process, event: Event) -> tuple[str, str] | None:
    """Return the call site at which a set is iterated on the way to a result, and its line."""
    lines = process.program(event.get("at")) if event.get("kind") in RESULTS else []
    file, _, line = str(event.get("at")).rpartition(":")
    found = set_on_the_way(lines, int(line)) if lines else None
    return None if found is None else (f"{file}:{found}", lines[found - 1].strip())


def _sites(events: list[Event]) -> list[Event]:
    """Return one event for each call site, at most `REMEMBERED`."""
    return list({(each.get("op"), each.get("at")): each for each in events}.values())[:REMEMBERED]


def _batches(
    one: Stream | None, other: Stream | None, difference: Difference
) -> tuple[list[str], list[str]]:
    """Return digests of the batches from the one that differs on."""
    event = difference.first or {}
    found: tuple[list[str], list[str]] = ([], [])
    if event.get("kind") != "batch" or one is None or other is None:
        return found
    for stream, offset, digests in zip((one, other), difference.offsets, found, strict=True):
        reader = Reader(stream, offset)
        while len(digests) < BATCHES and (line := reader.line()):
            if b'"kind":"batch"' in line:
                batch = parse(line, stream.process.trace)
                if (batch.get("op"), batch.get("at")) == (event.get("op"), event.get("at")):
                    digests.append(str(batch.get("digest")))
    return found


def _names(stream: Stream, offset: int, event: Event) -> list[str] | None:
    """Return the names of an event's parts, which the first such event of the process has."""
    if isinstance(event.get("names"), list):
        return [str(each) for each in event["names"]]
    count = len(str(event.get("parts", "")).split())
    if not count:
        return None
    found: dict[str, list[str]] = {}
    process = stream.process
    for line in process.lines_with(b'"names":[', stream.in_file(offset)):
        earlier = parse(line, process.trace)
        names = earlier.get("names")
        if (
            earlier.get("op") == event.get("op")
            and earlier.get("what") == event.get("what")
            and isinstance(names, list)
            and len(names) == count
        ):
            found[str(names)] = [str(each) for each in names]
    return next(iter(found.values())) if len(found) == 1 else None
