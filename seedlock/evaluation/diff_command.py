"""`seedlock diff A B`: where two runs first part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from seedlock.evaluation.divergence import Divergence
    from seedlock.evaluation.elements import Element
    from seedlock.evaluation.processes import Event
    from seedlock.evaluation.traces import Run

EXIT_EQUAL = 0
EXIT_DIFFERENT = 1
EXIT_INVALID = 4
"""The traces don't tell: one is cut, or nothing was traced."""

WIDTH = 120
"""Characters of one event's value that are shown."""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "diff",
        help="show where two traced runs first part",
        description="Compare the traces of two runs (REPRO_TRACE, docs/trace.md), also from two "
        "machines, and print the first event that differs: which process, operation and line, the "
        "first element that differs and how far, and guesses at the cause.",
        epilog=f"Exit status {EXIT_EQUAL}: equal; {EXIT_DIFFERENT}: different; {EXIT_INVALID}: "
        "not to be told, since a trace is cut or nothing was traced; 2 and 78: wrong usage, or "
        "traces that can't be read or compared.",
    )
    for name in ("A", "B"):
        parser.add_argument(
            name.lower(),
            metavar=name,
            help="a run: the folder that REPRO_REPORT named, one that holds it as reports/, or one "
            ".trace.jsonl file",
        )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--context", type=_count, default=3, metavar="N", help="show N events before (default: 3)"
    )
    parser.set_defaults(command=_diff)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def _diff(options: argparse.Namespace) -> int:
    from seedlock.evaluation.divergence import first_divergence
    from seedlock.evaluation.traces import Run

    a, b = Run(options.a), Run(options.b)
    found = first_divergence(a, b, options.context)
    troubles = [
        f"{name}: {trouble}" for name, run in (("A", a), ("B", b)) for trouble in run.troubles()
    ]
    if found is None:
        status = EXIT_INVALID if troubles else EXIT_EQUAL
    else:
        status = EXIT_INVALID if found.cut else EXIT_DIFFERENT
    verdict = {EXIT_EQUAL: "equal", EXIT_DIFFERENT: "different", EXIT_INVALID: "invalid"}[status]
    if options.json:
        content = {
            "verdict": verdict,
            "divergence": found and found.as_dict(),
            "troubles": troubles,
            "compared": {name: _numbers(run) for name, run in (("a", a), ("b", b))},
        }
        print(json.dumps(content, indent=1))
    else:
        print("\n".join(map(_printable, _readable(found, troubles, verdict, a, b))))
    return status


def _numbers(run: Run) -> dict[str, int]:
    return {
        "processes": len(run.processes),
        "places": len(run.streams),
        "events": run.events,
        "steps": run.steps,
        "terminated": sum(process.terminated for process in run.processes),
        "left_out": sum(process.left_out for process in run.processes),
    }


def _readable(
    found: Divergence | None, troubles: list[str], verdict: str, a: Run, b: Run
) -> Iterator[str]:
    numbers = _numbers(a)
    compared = f"{numbers['processes']} processes, {numbers['events']} events, " + (
        f"{numbers['steps']} optimizer steps"
    )
    if found is not None:
        yield from _divergence(found)
    if verdict == "equal":
        yield f"EQUAL: {compared} compared"
    elif verdict == "invalid":
        yield f"INVALID: the traces don't tell whether the runs are equal ({compared} in A)"
    for trouble in troubles:
        yield f"  {trouble}"
    terminated, left_out = (
        max(numbers[name], _numbers(b)[name]) for name in ("terminated", "left_out")
    )
    if terminated:
        yield f"  {terminated} workers were terminated by their pool, and wrote no end"
    if left_out:
        yield f"  not compared: {left_out} events of threads, which have no order"


def _divergence(found: Divergence) -> Iterator[str]:
    where = f"place {found.place}" if found.place else "the first process"
    step = "" if found.step is None else f", step {found.step}"
    yield f"DIFFERENT: event {found.index} of {where}{step}: {found.kind} {found.op or ''}".rstrip()
    if found.missing is not None:
        yield f"  only run {'B' if found.missing == 'first' else 'A'} has this process"
    if found.cut:
        yield "  the other run's process was cut off here"
    if found.at is not None:
        yield f"  at {found.at}" + (f": {found.source}" if found.source else "")
    if found.differs:
        yield f"  differs in: {', '.join(found.differs)}"
    for name, event in (("A", found.first), ("B", found.second)):
        yield f"  {name}: {_event(event, found.differs)}"
    if found.element is not None:
        yield from _element(found.element)
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


def _element(element: Element) -> Iterator[str]:
    array = f"array {element.array}" + (f" ({element.name})" if element.name else "")
    kind = "" if element.dtype is None else (
        f", {element.dtype}[{','.join(map(str, element.shape or ()))}]"
    )  # fmt: skip
    yield f"  first in {array}{kind}" + (
        "" if element.flat is None else f", element {list(element.index or ())} ({element.flat})"
    )
    if element.first_bits is not None:
        yield f"    A: {element.first_bits} = {element.first_text}"
        yield f"    B: {element.second_bits} = {element.second_text}"
    if element.distance is not None:
        yield f"    apart: {element.distance}{' ulp' if element.unit == 'ulp' else ''}"
    if element.differing is not None:
        largest = "" if element.largest is None else f", at most {element.largest} apart"
        yield f"    {element.differing} elements differ{largest}"


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}..."


def _printable(line: str) -> str:
    """Traces are made by strangers' programs: nothing in them moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in line)
