"""What counts for a seed under which there is no value, by the rule that the policy declares.

`worst`: a seed under which the author's program failed, or came to a limit, counts as the worst
value that any submission of the round got for the metric, under any seed. `apart`: it is listed
and the mean is of the others. Under neither is it left out silently: how many of the planned seeds
ended well stands beside each mean. A seed lost to the machine after all retries, and one that has
not ended, has no value under either rule: it is nobody's failure, and is shown.

An interval needs values of the metric. A substituted one is none, so there is no interval of a mean
with one in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORST, APART = "worst", "apart"

DONE, WAITING, INFRASTRUCTURE = "done", "waiting", "infrastructure"

FAILED = ("author-failure", "limit")
"""States of runs that count as failed."""


def worst(values: Iterable[float | None], direction: str) -> float | None:
    """Return the worst of all values that a round has for a metric; None if it has none.

    Args:
        values: of all submissions and seeds.
        direction: `max` if more is better, `min` if less is.
    """
    found = [each for each in values if each is not None]
    if not found:
        return None
    return min(found) if direction == "max" else max(found)


def counted(
    values: Sequence[float | None], states: Sequence[str], rule: str, substitute: float | None
) -> list[float | None]:
    """Return what enters the mean and the comparisons, a value or None per seed index.

    Args:
        values: of the metric per seed index, None without one.
        states: of the runs.
        rule: `worst` or `apart`.
        substitute: what `worst` returned.
    """
    return [
        substitute if value is None and rule == WORST and state in FAILED else value
        for value, state in zip(values, states, strict=True)
    ]
