"""The result of `seedlock verify` as one self-contained HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.pages import render
from seedlock.evaluation.verify_text import described, element_text, headline, partings, place

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 700
"""Width of a picture in units of its coordinates."""

PLACES = 40
"""How many processes are drawn; the page says how many there are."""


def page(result: dict[str, Any]) -> str:
    """Return the page."""
    return render(
        "verify.html",
        {"place": place, "element": element_text},
        result=result,
        headline=headline(result),
        pictures=[pictures(pair) for pair in result["comparisons"]],
        width=WIDTH,
        described=described,
        partings=partings,
    )


def pictures(pair: dict[str, Any]) -> dict[str, Any]:
    """Return what is drawn of two runs: for each process its bars and the mark where they part."""
    drawn = [_row(timeline, pair["divergence"]) for timeline in pair["timelines"][:PLACES]]
    return {
        "first": pair["first"],
        "second": pair["second"],
        "rows": drawn,
        "left_out": max(0, len(pair["timelines"]) - PLACES),
    }


def _row(timeline: dict[str, Any], divergence: dict[str, Any] | None) -> dict[str, Any]:
    equal = list(timeline["equal"])
    steps = max(timeline["steps"])
    bars = [
        {
            "x": begin * WIDTH / len(equal),
            "width": (end - begin) * WIDTH / len(equal),
            "equal": same,
        }
        for begin, end, same in _stretches(equal)
    ]
    mark = None
    here = divergence is not None and divergence["place"] == timeline["place"]
    if here and divergence is not None:
        step = divergence["step"] or 0
        x = min(1.0, step / max(1, steps)) * WIDTH
        # The label hangs on the side of the mark that has more room.
        left = x < WIDTH / 2
        share = 100 * x / WIDTH
        mark = {
            "x": x,
            "label": place(divergence),
            "side": "left" if left else "right",
            "percent": share if left else 100 - share,
        }
    return {
        "place": timeline["place"] or "first process",
        "steps": steps,
        "events": list(timeline["events"]),
        "kinds": dict(timeline["kinds"][0]),
        "lengths": [WIDTH * run / max(1, steps) if steps else WIDTH for run in timeline["steps"]],
        "bars": bars,
        "same": all(equal) and timeline["events"][0] == timeline["events"][1],
        "mark": mark,
    }


def _stretches(equal: list[bool]) -> Iterator[tuple[int, int, bool]]:
    """Yield the runs of equal values: where each begins and ends, and the value."""
    begin = 0
    for at in range(1, len(equal) + 1):
        if at == len(equal) or equal[at] != equal[begin]:
            yield begin, at, equal[begin]
            begin = at
