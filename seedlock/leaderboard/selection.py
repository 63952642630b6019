"""Which submissions of a round's standings somebody asked for, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.leaderboard.verification_levels import strength

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Entry = Mapping[str, Any]

SORTS = ("rank", "name", "mean", "sd", "median", "runs", "runtime", "verification")
"""By what a board is sorted; `rank` is the order of the means, best first."""


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
