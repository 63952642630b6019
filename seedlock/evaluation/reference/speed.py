"""How much longer runs take, as a ratio with its interval.

Runs under one seed belong together, and times are multiplied by what slows a machine, not added
to: so the ratio is the exponential of the mean of the logarithms of after / before per seed, and
its interval Student's of these.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from seedlock.evaluation.scores import summaries

if TYPE_CHECKING:
    from collections.abc import Mapping


class Ratio(NamedTuple):
    """A ratio of times.

    Attributes:
        value: after / before, geometric mean over the seeds.
        low, high: its 95 % interval; None for fewer than two seeds.
        n: seeds with both times.
    """

    value: float
    low: float | None
    high: float | None
    n: int


def ratio(before: Mapping[int, float], after: Mapping[int, float]) -> Ratio | None:
    """Return the ratio of times by seed; None without a seed that has both above zero."""
    logarithms = [
        math.log(after[seed] / before[seed])
        for seed in sorted(set(before) & set(after))
        if before[seed] > 0 and after[seed] > 0
    ]
    found = summaries.summary(logarithms)
    if found is None:
        return None
    low, high = (None if each is None else math.exp(each) for each in (found.low, found.high))
    return Ratio(math.exp(found.mean), low, high, found.n)
