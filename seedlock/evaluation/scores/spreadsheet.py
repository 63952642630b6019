"""The board as comma-separated values, one row per submission and metric."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seedlock.evaluation.scores.standings import Standings

COLUMNS = (
    "metric", "direction", "unit", "submission", "visibility", "digest", "planned", "ok", "failed",
    "infrastructure", "waiting", "n", "mean", "sd", "low", "high", "median", "minimum", "maximum",
    "iqm", "rank_first", "rank_last", "group", "tied", "substituted", "notes", "verification",
    "hardware", "runtime_mean", "runtime_sd",
)  # fmt: skip
"""Before the values, which are `seed_0`, `seed_1` ... and empty where there is none."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula
(owasp.org/www-community/attacks/CSV_Injection)."""


def text(standings: Standings, metrics: Sequence[str] | None = None) -> str:
    """Return the board, RFC 4180, each number as JSON writes it.

    Args:
        standings: the round's.
        metrics: which; all by default. Within one the best mean comes first.

    Raises:
        KeyError: there is no such metric.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    seeds = standings.content["rule"]["seeds"]
    writer.writerow([*COLUMNS, *(f"seed_{index}" for index in range(seeds))])
    for metric in standings.content["metrics"] if metrics is None else metrics:
        writer.writerows(_rows(standings, metric))
    return written.getvalue()


def _rows(standings: Standings, metric: str) -> Iterator[list[object]]:
    about = standings.content["metrics"][metric]
    for each in standings.ordered(metric):
        score, runtime = each["scores"][metric], each["runtime"] or {}
        first, last = score["rank"] or (None, None)
        own: dict[str, Any] = {
            **{key: value for key, value in each.items() if isinstance(value, (str, int))},
            **{key: score[key] for key in COLUMNS if key in score},
            "metric": metric, "direction": about["direction"], "unit": about["unit"],
            "submission": each["name"], "rank_first": first, "rank_last": last,
            "notes": " ".join(score["notes"]),
            "runtime_mean": runtime.get("mean"), "runtime_sd": runtime.get("sd"),
        }  # fmt: skip
        yield [_cell(own.get(column)) for column in COLUMNS] + [_cell(v) for v in score["values"]]


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return repr(value) if isinstance(value, float) else value
