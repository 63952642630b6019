"""Two submissions of a board: their comparison, and what the whole board says about the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.rounds.policy import PAIRED
from seedlock.evaluation.scores.comparisons import compare

if TYPE_CHECKING:
    from seedlock.evaluation.scores.standings import Standings


ROUNDING = 1e-10
"""Part by which a threshold may have been rounded down, and by which a p may differ on another
machine."""


def head_to_head(standings: Standings, metric: str, one: str, other: str) -> dict[str, Any]:
    """Return the comparison of two submissions in a metric, JSON-ready.

    Beside what `comparisons.Comparison` holds: `metric`, `one`, `other`, `better` (the name of the
    one that the board tells apart as better, or None) and `threshold` (the largest p that the
    board tells apart, after Holm over all its pairs). A p of 4 % of two submissions that somebody
    picked out of many is no finding, so `better` goes by the board.

    Raises:
        KeyError: there is no such metric or submission.
    """
    content = standings.content
    rule, told = content["rule"], content["comparisons"][metric]
    entries = {each["name"]: each for each in content["submissions"]}
    mine, theirs = (entries[name]["scores"][metric]["counted_by_seed"] for name in (one, other))
    direction = content["metrics"][metric]["direction"]
    found = compare(mine, theirs, direction, rule["compare"] == PAIRED, rule["alpha"])
    better = None
    if found.decidable and found.primary is not None and found.difference:
        sign = 1 if direction == "max" else -1
        if found.primary.p <= told["threshold"] * (1 + ROUNDING):
            better = one if sign * found.difference > 0 else other
    return {
        "metric": metric, "one": one, "other": other, "better": better,
        "threshold": told["threshold"], **found.as_dict(),
    }  # fmt: skip
