"""`seedlock diff A B`: where two runs first part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from seedlock.evaluation.divergence import Divergence
    from seedlock.evaluation.traces import Run

EXIT_EQUAL = 0
EXIT_DIFFERENT = 1
EXIT_INVALID = 4
"""The traces don't tell: one is cut, or nothing was traced."""


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
    from seedlock.evaluation.divergence_text import plain
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
        print("\n".join(map(plain, _readable(found, troubles, verdict, a, b))))
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
    from seedlock.evaluation.divergence_text import divergence_lines

    numbers = _numbers(a)
    compared = f"{numbers['processes']} processes, {numbers['events']} events, " + (
        f"{numbers['steps']} optimizer steps"
    )
    if found is not None:
        yield from divergence_lines(found)
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
