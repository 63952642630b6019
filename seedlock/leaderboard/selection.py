"""Which submissions of a round's standings somebody asked for, in which order; and as a table."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from seedlock.leaderboard.verification_levels import strength

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Entry = Mapping[str, Any]

SORTS = ("rank", "name", "mean", "sd", "median", "runs", "runtime", "verification")
"""By what a board is sorted; `rank` is the order of the means, best first."""

COLUMNS = (
    "name", "digest", "visibility", "verification", "planned", "ok", "failed", "waiting",
    "attempts", "hardware", "runtime_mean_s", "metric", "direction", "unit", "n", "mean", "sd",
    "low", "high", "median", "minimum", "maximum", "iqm", "rank_first", "rank_last", "group",
)  # fmt: skip
"""Of the table, before one for each seed index."""


def select(
    standings: Entry, metric: str, sort: str = "rank", order: str = "up", matching: str = ""
) -> list[Entry]:
    """Return submissions in an order; those without the number come last in either order.

    Args:
        standings: as `Standings.as_dict` has them.
        metric: one of theirs.
        sort: one of `SORTS`.
        order: `up` or `down`.
        matching: a part of the names, in any case.

    Raises:
        KeyError: there is no such metric, or no such order.
    """
    sign = -1 if standings["metrics"][metric]["direction"] == "max" else 1

    def score(key: str) -> Callable[[Entry], Any]:
        return lambda each: (each["scores"].get(metric) or {}).get(key)

    def best(each: Entry) -> Any:
        mean = score("mean")(each)
        return None if mean is None else sign * mean

    keys: dict[str, Callable[[Entry], Any]] = {
        "rank": best, "name": lambda each: each["name"], "mean": score("mean"), "sd": score("sd"),
        "median": score("median"), "runs": lambda each: each["ok"],
        "runtime": lambda each: each["runtime"] and each["runtime"]["mean"],
        "verification": lambda each: strength(each["verification"]),
    }  # fmt: skip
    key = keys[sort]
    found = sorted(
        (each for each in standings["submissions"] if matching.lower() in each["name"].lower()),
        key=lambda each: str(each["name"]),
    )
    with_it = [each for each in found if key(each) is not None]
    without = [each for each in found if key(each) is None]
    return sorted(with_it, key=key, reverse=order == "down") + without


def table(standings: Entry) -> str:
    """Return all submissions and metrics as CSV (RFC 4180): a line per submission and metric."""
    into = io.StringIO()
    writer = csv.writer(into, lineterminator="\r\n")
    seeds = range(standings["rule"]["seeds"])
    writer.writerow([*COLUMNS, *(f"seed_{index}" for index in seeds)])
    for metric, about in standings["metrics"].items():
        for each in select(standings, metric):
            score = each["scores"].get(metric) or {}
            rank = score.get("rank") or (None, None)
            runtime = each["runtime"] or {}
            cells = {
                **each, **score, "metric": metric, **about, "rank_first": rank[0],
                "rank_last": rank[1], "runtime_mean_s": runtime.get("mean"),
            }  # fmt: skip
            values = score.get("values") or [None] * len(seeds)
            writer.writerow(
                [_cell(cells.get(name)) for name in COLUMNS] + [_cell(v) for v in values]
            )
    return into.getvalue()


def _cell(value: object) -> str:
    """Return a cell; a text that a spreadsheet would take for a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t") else text
