"""Charts of metrics by step: a line per seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import charts
from seedlock.evaluation.charts import NARROW, WIDE, Chart
from seedlock.evaluation.drawing import Drawing, ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

Points = tuple[tuple[float, float], ...]

MOST_POINTS = 400
"""Points of a line that are drawn; of more, evenly many are left out, and the last one stays."""

HEIGHT = 260

LARGEST_STEP = 1e300
"""Beyond it no scale has room to both sides."""


def known(series: object) -> Points:
    """Return the points of a record's series that can be drawn.

    Args:
        series: pairs of step and value; values that are not finite, which come as text, are left
            out, as is what is no pair, and a step above `LARGEST_STEP`.
    """
    found = []
    for each in series if isinstance(series, list) else []:
        if isinstance(each, list) and len(each) == 2:
            step, value = (_number(part) for part in each)
            if step is not None and value is not None and step <= LARGEST_STEP:
                found.append((step, value))
    return tuple(sorted(found))


def thinned(points: Points) -> Points:
    """Return at most about `MOST_POINTS` of them, the first and the last one among these."""
    every = max(1, math.ceil(len(points) / MOST_POINTS))
    kept = points[::every]
    return kept if not points or kept[-1] == points[-1] else (*kept, points[-1])


def curves(lines: Mapping[int, Points], name: str, title: str, unit: str) -> Chart | None:
    """Return the chart of a metric's course, or None without a point.

    Args:
        lines: points by seed index.
        name: begins the ids in the drawing.
        title: what it is called.
        unit: of the values, for the scale.
    """
    drawn = {index: thinned(points) for index, points in sorted(lines.items()) if points}
    if not drawn:
        return None
    values = [value for points in drawn.values() for _, value in points]
    steps = [step for points in drawn.values() for step, _ in points]
    ends = charts.scale(values)
    first, last = min(steps), max(steps)
    if first == last:
        margin = max(1.0, abs(first) * 1e-9)  # which a large step, as a clock's, does not swallow
        first, last = first - margin, last + margin
    outside = sum(not ends[0] <= value <= ends[1] for value in values)
    wide, narrow = (
        _drawn(list(drawn.items()), f"{name}-{size}", title, unit, (first, last), ends, width)
        for size, width in (("w", WIDE), ("n", NARROW))
    )
    return Chart(wide, narrow, outside)


def _drawn(
    lines: Sequence[tuple[int, Points]], name: str, title: str, unit: str,
    steps: tuple[float, float], ends: tuple[float, float], width: int,
) -> Markup:  # fmt: skip
    narrow = width == NARROW
    marked = ticks(*ends, 5)
    texts = charts.tick_texts(marked)
    left = 16 + 8 * max((len(each) for each in texts), default=1)
    bottom = HEIGHT - 42
    made = Drawing((width, HEIGHT), (left, 12, width - 26, bottom), steps, ends)
    made.lines("grid", [[(steps[0], each), (steps[1], each)] for each in marked])
    made.lines("curve", [points for _, points in lines if len(points) > 1])
    dots = [(index, points[-1]) for index, points in lines if ends[0] <= points[-1][1] <= ends[1]]
    made.marks(
        "dot", [point for _, point in dots], "o", 5,
        [f"seed {index}, step {point[0]:g}: {point[1]:.6g}" for index, point in dots],
    )  # fmt: skip
    for value, text in zip(marked, texts, strict=True):
        made.text("tick", left - 8, made.height(value) + 4, text, "end")
    across = ticks(*steps, 4 if narrow else 8)
    for value, text in zip(across, charts.tick_texts(across), strict=True):
        made.text("tick", made.place(value), bottom + 18, text, "middle")
    said = f"{title} ({unit}) by step" if unit else f"{title} by step"
    made.text("tick", (left + width - 26) / 2, bottom + 36, _cut(said, narrow), "middle")
    described = f"A line per seed, {len(lines)} in all; a dot stands at the last step of each."
    return made.svg(name, f"{title} by step", described)


def _cut(text: str, narrow: bool) -> str:
    most = 40 if narrow else 110
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
