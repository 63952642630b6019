"""A record as one HTML page, with the curves of its metrics."""

from __future__ import annotations

import math
from typing import Any

from seedlock.evaluation.pages import render
from seedlock.evaluation.recording.show_text import gaps, headline, rows

WIDTH, HEIGHT = 700.0, 140.0
"""Size of a curve's picture in units of its coordinates."""

POINTS = 1000
"""How many points of a curve are drawn at most; of more, evenly many are left out."""


def page(record: dict[str, Any]) -> str:
    """Return the page."""
    declared = {each["name"]: each for each in record.get("metrics", {}).get("declared", ())}
    series = record.get("metrics", {}).get("series", {})
    names = sorted(series, key=lambda name: (name not in declared, name))
    return render(
        "record.html",
        headline=headline(record),
        good=record.get("outcome", {}).get("class") == "done",
        reasons=record.get("outcome", {}).get("reasons", []),
        rows=[row for row in rows(record) if row[0] != "output"],
        gaps=gaps(record),
        curves=[curve(name, series[name], declared.get(name)) for name in names],
        outputs=record.get("outputs", []),
        version=record["version"],
        seedlock=record["seedlock"],
    )


def curve(name: str, points: list[list[Any]], metric: dict[str, str] | None) -> dict[str, Any]:
    """Return what is drawn of a series.

    Args:
        name: the metric.
        points: pairs of step and value; values that are not finite, which come as text, and
            what no float can hold are left out and counted.
        metric: its declaration, or None where it does not count.
    """
    numbers = ((_number(step), _number(value)) for step, value in points)
    known = [pair for pair in numbers if all(map(math.isfinite, pair))]
    every = max(1, math.ceil(len(known) / POINTS))
    drawn = known[::every]
    if known and drawn[-1] != known[-1]:
        drawn.append(known[-1])
    steps = [step for step, _ in drawn] or [0.0]
    values = [value for _, value in drawn] or [0.0]
    left, right = min(steps), max(steps)
    low, high = min(values), max(values)

    def x(step: float) -> float:
        return WIDTH * (step - left) / ((right - left) or 1.0)

    def y(value: float) -> float:
        # Halves, since the difference of two large numbers may not be finite.
        share = (value / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)
        return HEIGHT - 4 - (HEIGHT - 8) * share

    return {
        "name": name,
        "unit": metric["unit"] if metric else "",
        "counts": metric is not None,
        "better": {"max": "higher is better", "min": "lower is better"}[metric["direction"]]
        if metric
        else "does not count",
        "line": " ".join(f"{x(step):.2f},{y(value):.2f}" for step, value in drawn),
        "points": len(points),
        "left_out": len(points) - len(known),
        "steps": [f"{left:g}", f"{right:g}"],
        "range": [f"{low:.6g}", f"{high:.6g}"],
        "last": f"{values[-1]:.6g}",
    }


def _number(given: float | str) -> float:
    try:
        return math.nan if isinstance(given, str) else float(given)
    except OverflowError:
        return math.inf
