"""In which order a board shows its submissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.leaderboard.verification_levels import strength

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COLUMNS = ("rank", "name", "mean", "sd", "median", "runs", "runtime", "verification")
"""What a board can be sorted by; `rank` without being told."""


@dataclass(frozen=True)
class Asked:
    """What of a board is asked for.

    Attributes:
        metric: its name; None for the first.
        sort: one of `COLUMNS`.
        order: `up` or `down`.
        matching: a part of the names that are shown, in any case.
        page: from 1 on.
    """

    metric: str | None = None
    sort: str = "rank"
    order: str = "up"
    matching: str = ""
    page: int = 1


def ordered_by(
    found: Sequence[Mapping[str, Any]], metric: str, asked: Asked, direction: str
) -> list[Mapping[str, Any]]:  # fmt: skip
    """Return submissions in the order that was asked for, equal ones by name; those without the
    number come last in either order.

    Args:
        found: submissions of the standings.
        metric: whose scores count.
        asked: the order.
        direction: of the metric, `max` or `min`.
    """

    def score(each: Mapping[str, Any], key: str) -> Any:
        return (each["scores"].get(metric) or {}).get(key)

    def best(each: Mapping[str, Any]) -> Any:
        mean = score(each, "mean")
        return None if mean is None else (-mean if direction == "max" else mean)

    keys: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        "rank": best,
        "name": lambda each: each["name"],
        "mean": lambda each: score(each, "mean"),
        "sd": lambda each: score(each, "sd"),
        "median": lambda each: score(each, "median"),
        "runs": lambda each: each["ok"],
        "runtime": lambda each: each["runtime"] and each["runtime"]["mean"],
        "verification": lambda each: strength(each["verification"]),
    }
    key = keys.get(asked.sort, best)
    by_name = sorted(found, key=lambda each: each["name"])
    with_it = [each for each in by_name if key(each) is not None]
    without = [each for each in by_name if key(each) is None]
    return sorted(with_it, key=key, reverse=asked.order == "down") + without
