"""The charts of the pages: what is drawn of which numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING

from seedlock.evaluation.drawing import Drawing, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

ROW = 26
"""Height of a submission in pixels."""

WIDE, NARROW = 1040, 340
"""Widths of a chart for a desk and for a phone; the style sheet shows the one that fits."""

LONGEST_NAME = 26
"""Letters of a name in a wide chart."""

FENCE = 6.0
"""Values further from the quartiles than so many times their distance do not decide the scale:
one submission that diverged would press all others into a line. They are drawn at the edge, and the
caption counts them."""

MANY, FEW = 20, 10
"""That is so only among so many values, and if they are at most one in ten."""


@dataclass(frozen=True)
class Row:
    """A submission in a chart.

    Attributes:
        name: of it.
        link: of its page, or None.
        values: of its seeds that have one, by their indices.
        substituted: what counts for a failed seed, by index.
        mean: of what counts, or None.
        low, high: ends of the interval of the mean, or None.
        group: submissions of one number follow each other without a line between.
    """

    name: str
    link: str | None
    values: tuple[tuple[int, float], ...]
    substituted: tuple[tuple[int, float], ...]
    mean: float | None
    low: float | None
    high: float | None
    group: int | None = None


@dataclass(frozen=True)
class Chart:
    """A chart in both of its widths.

    Attributes:
        wide, narrow: the drawings.
        outside: how many values lie beyond the scale.
    """

    wide: Markup
    narrow: Markup
    outside: int


def seeds(
    rows: Sequence[Row], name: str, title: str, unit: str, what: str = "submission"
) -> Chart | None:
    """Return the chart of all seeds with their means' intervals, or None without a value.

    Args:
        rows: from above.
        name: begins the ids in the drawing.
        title: what it is called.
        unit: below the scale, if it is not empty.
        what: a row is.
    """
    every = [value for row in rows for _, value in (*row.values, *row.substituted)]
    if not every:
        return None
    ends = scale(every, [end for row in rows for end in (row.low, row.high) if end is not None])
    outside = sum(not ends[0] <= value <= ends[1] for value in every)
    return Chart(
        _seeds(rows, f"{name}-w", title, unit, ends, WIDE, what),
        _seeds(rows, f"{name}-n", title, unit, ends, NARROW, what),
        outside,
    )


def scale(values: Sequence[float], more: Sequence[float] = ()) -> tuple[float, float]:
    """Return the ends of a scale that holds values, but those far from all others.

    Args:
        values: finite, at least one.
        more: ends of intervals, for which the scale is made longer by at most its own length to
            each side.
    """
    inner = sorted(values)
    if len(inner) >= MANY:
        first, _, third = quantiles([value / 2 for value in inner], n=4, method="inclusive")
        reach = FENCE * (third - first)
        near = [each for each in inner if first - reach <= each / 2 <= third + reach]
        if reach and (len(inner) - len(near)) * FEW <= len(inner):
            inner = near
    low, high = inner[0], inner[-1]
    # Halves, since the difference of two large numbers may not be finite.
    length = high / 2 - low / 2
    if length == 0:
        length = abs(low) / 20 or 0.5
    wanted = [low, high, *(end for end in more if math.isfinite(end))]
    low, high = max(min(wanted), low - 2 * length), min(max(wanted), high + 2 * length)
    edge = max((high / 2 - low / 2) / 15, abs(low) * 1e-9, abs(high) * 1e-9, 1e-300)
    largest = 1e300
    return max(low - edge, -largest), min(high + edge, largest)


def _seeds(
    rows: Sequence[Row], name: str, title: str, unit: str, ends: tuple[float, float], width: int,
    what: str,
) -> Markup:  # fmt: skip
    narrow = width == NARROW
    row = ROW + 16 if narrow else ROW
    many = len(rows) > 15
    longest = max((min(len(each.name), LONGEST_NAME) for each in rows), default=0)
    top, left = (24 if many else 8), (10 if narrow else min(max(100, 24 + 8 * longest), 230))
    bottom = top + row * len(rows)
    size = (width, bottom + (44 if unit else 26))
    made = Drawing(
        size, (left, top, width - (14 if narrow else 26), bottom), ends, (0, row * len(rows))
    )
    heights = [row * (len(rows) - index) - (row - ROW / 2) for index in range(len(rows))]
    marked = ticks(*ends, 4 if narrow else 8)
    made.lines("grid", [[(each, 0), (each, row * len(rows))] for each in marked])
    made.lines("between", [
        [(ends[0], row * (len(rows) - index)), (ends[1], row * (len(rows) - index))]
        for index in range(1, len(rows))
        if rows[index].group != rows[index - 1].group
    ])  # fmt: skip
    _intervals(made, rows, heights, ends)
    _dots(made, rows, heights, ends)
    for each, height in zip(rows, heights, strict=True):
        at = made.height(height)
        if narrow:
            made.text("name", left, at - 13, each.name, link=each.link)
        else:
            shown = each.name
            if len(shown) > LONGEST_NAME:
                shown = f"{shown[: LONGEST_NAME - 1]}…"
            made.text("name", left - 12, at + 4.5, shown, "end", each.link)
    _scale(made, marked, unit, many)
    described = (
        f"One row per {what}: a dot for each seed, a band for the 95 % interval of the mean, "
        "a line for the mean. The table has the numbers."
    )
    return made.svg(name, title, described)


def _intervals(
    made: Drawing, rows: Sequence[Row], heights: Sequence[float], ends: tuple[float, float]
) -> None:
    bands, means, cut = [], [], {"cut-low": [], "cut-high": []}  # type: ignore[var-annotated]
    for row, height in zip(rows, heights, strict=True):
        if row.low is not None and row.high is not None:
            low, high = max(row.low, ends[0]), min(row.high, ends[1])
            if low <= high:
                bands.append([(low, height), (high, height)])
                if row.low < ends[0]:
                    cut["cut-low"].append((ends[0], height))
                if row.high > ends[1]:
                    cut["cut-high"].append((ends[1], height))
        if row.mean is not None and ends[0] <= row.mean <= ends[1]:
            means.append([(row.mean, height - 9), (row.mean, height + 9)])
    made.lines("band", bands)
    made.lines("mean", means)
    for kind, points in cut.items():
        titles = ["the interval goes on beyond the scale"] * len(points)
        made.marks(kind, points, "<" if kind == "cut-low" else ">", 7, titles)


def _dots(
    made: Drawing, rows: Sequence[Row], heights: Sequence[float], ends: tuple[float, float]
) -> None:
    kinds: dict[str, tuple[list[tuple[float, float]], list[str]]] = {
        kind: ([], []) for kind in ("dot", "failed", "beyond-low", "beyond-high")
    }
    for row, height in zip(rows, heights, strict=True):
        for index, value in row.values:
            kind = "dot"
            if not ends[0] <= value <= ends[1]:
                kind = "beyond-low" if value < ends[0] else "beyond-high"
            points, titles = kinds[kind]
            points.append((min(max(value, ends[0]), ends[1]), height))
            titles.append(f"{row.name}, seed {index}: {value:.6g}")
        for index, value in row.substituted:
            points, titles = kinds["failed"]
            points.append((min(max(value, ends[0]), ends[1]), height))
            titles.append(f"{row.name}, seed {index}: failed, counts as {value:.6g}")
    for kind, marker, size in (
        ("dot", "o", 8), ("failed", "x", 7), ("beyond-low", "<", 7), ("beyond-high", ">", 7),
    ):  # fmt: skip
        made.marks(kind, kinds[kind][0], marker, size, kinds[kind][1])


def _scale(made: Drawing, marked: Sequence[float], unit: str, above: bool) -> None:
    texts = tick_texts(marked)
    left, top, right, bottom = made.box
    for value, text in zip(marked, texts, strict=True):
        made.text("tick", made.place(value), bottom + 18, text, "middle")
        if above:
            made.text("tick", made.place(value), top - 9, text, "middle")
    if unit:
        made.text("tick", (left + right) / 2, bottom + 36, unit, "middle")


def tick_texts(values: Sequence[float]) -> list[str]:
    """Return the texts of a scale's marks, all with the decimals that tell them apart."""
    if not values:
        return []
    largest = max(abs(value) for value in values)
    step = min((b - a for a, b in itertools.pairwise(values)), default=largest)
    if not largest or 1e-4 <= largest < 1e6:
        for decimals in range(8):
            if abs(round(step, decimals) - step) <= step * 1e-6:
                return [f"{value + 0.0:.{decimals}f}" for value in values]
    digits = 0
    if step > 0 and largest:
        digits = max(0, min(12, math.floor(math.log10(largest)) - math.floor(math.log10(step)) + 1))
    return [f"{value:.{digits}e}" for value in values]
