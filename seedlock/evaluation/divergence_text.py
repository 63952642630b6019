"""A divergence as lines for a terminal."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seedlock.evaluation.divergence import Divergence
    from seedlock.evaluation.elements import Element
    from seedlock.evaluation.processes import Event

WIDTH = 120
"""Characters of one event's value that are shown."""


def divergence_lines(found: Divergence, names: tuple[str, str] = ("A", "B")) -> Iterator[str]:
    """Yield the lines that describe a divergence.

    Args:
        found: what to describe.
        names: of the two runs.
    """
    where = f"place {found.place}" if found.place else "the first process"
    step = "" if found.step is None else f", step {found.step}"
    yield f"DIFFERENT: event {found.index} of {where}{step}: {found.kind} {found.op or ''}".rstrip()
    if found.missing is not None:
        yield f"  only run {names[found.missing == 'first']} has this process"
    if found.cut:
        yield "  the other run's process was cut off here"
    if found.at is not None:
        yield f"  at {found.at}" + (f": {found.source}" if found.source else "")
    if found.differs:
        yield f"  differs in: {', '.join(found.differs)}"
    for name, event in zip(names, (found.first, found.second), strict=True):
        yield f"  {name}: {_event(event, found.differs)}"
    if found.element is not None:
        yield from _element(found.element, names)
    if found.places:
        yield f"  {len(found.places)} other places differ too: " + _short(
            ", ".join(place or "the first process" for place in found.places)
        )
    if found.before:
        yield "  before it:"
    for event in found.before:
        yield f"    {_event(event, ('digest', 'text'))} {event.get('at', '')}".rstrip()
    for cause in found.causes:
        yield f"{'guess' if cause.guess else 'cause'}: {cause.text}"
        yield f"  evidence: {cause.evidence}"
        yield f"  to confirm or cure: {cause.cure}"


def _event(event: Event | None, shown: tuple[str, ...]) -> str:
    if event is None:
        return "no event"
    texts = [str(event.get(name)) for name in ("kind", "op", "what") if name in event]
    texts += [
        f"{name} {_short(json.dumps(event[name]) if name == 'rng' else str(event[name]))}"
        for name in shown
        if name in event and name not in ("kind", "op", "what")
    ]
    return " ".join(map(_short, texts))


def _element(element: Element, names: tuple[str, str]) -> Iterator[str]:
    array = f"array {element.array}" + (f" ({element.name})" if element.name else "")
    kind = "" if element.dtype is None else (
        f", {element.dtype}[{','.join(map(str, element.shape or ()))}]"
    )  # fmt: skip
    yield f"  first in {array}{kind}" + (
        "" if element.flat is None else f", element {list(element.index or ())} ({element.flat})"
    )
    if element.first_bits is not None:
        yield f"    {names[0]}: {element.first_bits} = {element.first_text}"
        yield f"    {names[1]}: {element.second_bits} = {element.second_text}"
    if element.distance is not None:
        yield f"    apart: {element.distance}{' ulp' if element.unit == 'ulp' else ''}"
    if element.differing is not None:
        largest = "" if element.largest is None else f", at most {element.largest} apart"
        yield f"    {element.differing} elements differ{largest}"


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}..."


def diff_command(folders: Sequence[str]) -> str:
    """Return the command that compares two runs' traces, to be typed in this folder.

    Args:
        folders: of the runs, absolute paths.
    """
    return shlex.join(["seedlock", "diff", *map(_from_here, folders)])


def _from_here(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def plain(line: str) -> str:
    """Return a line as it may be shown. Traces are made by strangers' programs: nothing in them
    moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in line)
