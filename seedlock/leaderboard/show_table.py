"""Standings as a table for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation.scores import scoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from seedlock.evaluation.scores.standings import Standings

COLUMNS = (
    "place", "group", "submission", "mean", "sd", "seeds", "runtime", "hardware", "verification",
)  # fmt: skip

NUMBERS = ("place", "group", "sd", "seeds", "runtime")

DASH = "-"

NOTES = {
    scoring.SUBSTITUTED: "a: failed seeds count as the worst value of the round, and such a mean "
    "has no interval",
    scoring.NO_SPREAD: "b: all values are equal; nothing varied, which does not make the mean "
    "certain",
    scoring.TOO_WIDE: "c: the interval is beyond what a float holds",
    scoring.UNREAD: "d: a run ended well, and its record could not be read",
}
"""What the letters behind means stand for."""


def table(standings: Standings, metric: str) -> Table:
    """Return a metric's table, the best mean first.

    Args:
        standings: the round's.
        metric: which.

    Raises:
        KeyError: there is no such metric.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    about = standings.content["metrics"][metric]
    unit = f", {printable(about['unit'], 40)}" if about["unit"] else ""
    better = "more" if about["direction"] == "max" else "less"
    title = Text(f"{printable(metric, 100)}{unit}: {better} is better")
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in COLUMNS:
        fixed = name != "hardware"
        shown.add_column(name, justify="right" if name in NUMBERS else "left", no_wrap=fixed)
    for each in standings.ordered(metric):
        # Text, not markup: names are their authors'.
        shown.add_row(*(Text(cell) for cell in _cells(each, metric)))
    return shown


def _cells(of: dict[str, Any], metric: str) -> Sequence[str]:
    score = of["scores"][metric]
    return (
        place(score["rank"]),
        DASH if score["group"] is None else str(score["group"]),
        printable(of["name"], 100) + (" (private)" if of["visibility"] == "private" else ""),
        mean(score) + letters(score["notes"]),
        DASH if score["sd"] is None else f"{score['sd']:.2g}",
        f"{of['ok']}/{of['planned']}",
        _runtime(of["runtime"]),
        DASH if of["hardware"] is None else printable(of["hardware"], 120),
        of["verification"],
    )


def place(rank: Sequence[int] | None) -> str:
    """Return the places between which a submission stands."""
    if rank is None:
        return DASH
    first, last = rank
    return str(first) if first == last else f"{first}{DASH}{last}"


def letters(notes: Sequence[str]) -> str:
    """Return the letters of a score's notes, behind a space; nothing without any."""
    found = "".join(NOTES[each][0] for each in notes)
    return f" {found}" if found else ""


def mean(score: dict[str, Any]) -> str:
    """Return a mean with half the width of its interval, to two digits of that."""
    if score["mean"] is None:
        return DASH
    if score["low"] is None or score["high"] == score["low"]:
        return f"{score['mean']:.5g}"
    return with_half_width(score["mean"], (score["high"] - score["low"]) / 2)


def with_half_width(value: float, half: float) -> str:
    """Return a number and half the width of its interval, as `0.9530 ± 0.0039`.

    Both have as many decimals as it takes for two digits of the half-width; very large and very
    small ones have an exponent.
    """
    largest = max(abs(value), half)
    if not math.isfinite(half) or largest >= 1e7 or 0 < largest < 1e-4:
        return f"{value:.5g} ± {half:.2g}"
    decimals = min(max(1 - math.floor(math.log10(half)), 0), 12) if half > 0 else 6
    return f"{value:.{decimals}f} ± {half:.{decimals}f}"


def _runtime(summary: dict[str, Any] | None) -> str:
    if summary is None:
        return DASH
    if summary["low"] is None or summary["sd"] == 0:
        return f"{summary['mean']:.4g} s"
    return f"{with_half_width(summary['mean'], (summary['high'] - summary['low']) / 2)} s"


def remarks(standings: Standings, metrics: Sequence[str]) -> list[str]:
    """Return what has to be known to read the tables, one line each."""
    content, said = standings.content, []
    rule = content["rule"]
    said.append(f"± is half the width of the 95 % Student-t interval of the mean; {rule['method']}")
    said.append(
        f"place: with 95 % probability all true places are within these together; seeds: ended "
        f"well of {rule['seeds']} planned; group: who can't be told from the best of it"
    )
    for metric in metrics:
        said.append(f"{printable(metric, 100)}: {content['comparisons'][metric]['why']}")
    used = {
        note for each in content["submissions"] for metric in metrics
        for note in each["scores"][metric]["notes"]
    }  # fmt: skip
    said += [line for note, line in NOTES.items() if note in used]
    if rule["failed"] == "apart" and any(each["failed"] for each in content["submissions"]):
        said.append("failed seeds are apart: means are of the seeds that ended well")
    if not standings.complete:
        waiting = sum(each["waiting"] for each in content["submissions"])
        said.append(f"INCOMPLETE: {waiting} runs have not ended, and nothing here is final")
    if content["verdict"] is not None:
        said.append(f"seedlock round verify: {content['verdict']}")
    return said + [f"not read: {printable(each, 200)}" for each in content["problems"]]
