"""What was found of a log, as one HTML page with a picture of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from seedlock import __version__
from seedlock.evaluation.pages import render
from seedlock.evaluation.scores.summaries import mean
from seedlock.evaluation.watch.watch_text import TESTS, alarm_lines, headline, rows
from seedlock.evaluation.watch.watcher import INSIDE

if TYPE_CHECKING:
    from seedlock.evaluation.watch.watcher import Watcher

WIDTH, HEIGHT = 700.0, 240.0
"""Size of the picture in units of its coordinates."""

POINTS = 700
"""How many points are drawn at most; of more, each is the mean of neighbours."""


def page(watcher: Watcher) -> str:
    """Return the page."""
    result = watcher.result()
    found = [alarm_lines(watcher, name, result) for name in TESTS if result[name]["alarm"]]
    return render(
        "watch.html",
        headline=headline(result),
        good=result["verdict"] == INSIDE,
        rows=rows(result),
        alarms=found,
        picture=drawing(watcher) if watcher.values else None,
        notes=result["notes"],
        problems=result["log"]["problems"],
        values=result["expected"]["values"],
        seeds=result["expected"]["seeds"],
        seedlock=__version__,
    )


def drawing(watcher: Watcher) -> dict[str, Any]:
    """Return what is drawn: the log, the interval, and where something was found."""
    expected, values = watcher.expected, watcher.values
    every = max(1, math.ceil(len(values) / POINTS))
    drawn = [mean(values[at : at + every]) for at in range(0, len(values), every)]
    low, high = min(*drawn, expected.low), max(*drawn, expected.high)
    last = max(1, len(drawn) - 1)

    def x(place: float) -> float:
        return WIDTH * place / last

    def y(value: float) -> float:
        # Halves, since the difference of two large numbers may not be finite.
        share = (value / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)
        return HEIGHT - 8 - (HEIGHT - 16) * share

    lines = [line for line, _ in watcher.places]
    marks = [
        {"at": x(lines.index(alarm.since_line) / every), "name": TESTS[name]}
        for name in TESTS
        if (alarm := getattr(watcher, name)) is not None
    ]
    return {
        "line": " ".join(f"{x(place):.2f},{y(each):.2f}" for place, each in enumerate(drawn)),
        "top": y(expected.high),
        "tall": max(1.0, y(expected.low) - y(expected.high)),
        "middle": y(expected.mean),
        "marks": marks,
        "every": every,
        "range": [f"{low:.6g}", f"{high:.6g}"],
        "lines": [lines[0], lines[-1]],
        "times": [watcher.places[0][1], watcher.places[-1][1]],
    }
