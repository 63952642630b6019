"""What records let one expect of a metric: mean, spread over seeds, interval for one more model.

Each record is one model of the recipe, trained under a seed of its own. A deployed model is one
more of them. The interval that holds its value with a given probability is mean +- t s
sqrt(1 + 1/n), t with n - 1 degrees of freedom, for values that are normal over seeds: Hahn and
Meeker, "Statistical Intervals", Wiley 1991, section 4.7. One value has no spread.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from seedlock.errors import SeedlockError
from seedlock.evaluation.scores.summaries import deviation, mean

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_SEEDS, BY_SD, BY_TOLERANCE = "seeds", "sd", "tolerance"

LARGEST = 1e100
"""Of a value's size: squares of distances have to be finite."""


class BadExpectation(SeedlockError):
    """Records do not say what is to be expected of a deployed model's metric."""

    slug = "bad-expectation"


@dataclass(frozen=True)
class Expectation:
    """What is expected of a metric.

    Attributes:
        metric: its name.
        direction: `max` or `min`; None where nobody says which is better.
        values: one per model, at least one.
        seeds: of each model, as text; None where they are hidden.
        mean: of the values.
        sd: over seeds: of the values, or as somebody gave it; None with a tolerance.
        low, high: the interval for one more model.
        confidence: probability with which it holds one; None with a tolerance.
        by: where the width is from, one of the words above.
        notes: what a reader should know.
    """

    metric: str
    direction: str | None
    values: tuple[float, ...]
    seeds: tuple[str, ...] | None
    mean: float
    sd: float | None
    low: float
    high: float
    confidence: float | None
    by: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready."""
        return asdict(self)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The range that a metric seems to have: 0 to 1 for a share of which more is better."""
        share = self.direction == "max" and all(0 <= each <= 1 for each in self.values)
        return (0.0, 1.0) if share else None


@dataclass(frozen=True)
class Width:
    """What somebody says of the interval.

    Attributes:
        confidence: probability with which it is to hold one more model, above 0, below 1.
        sd: standard deviation over seeds, above 0, in the place of the values' own; or None.
        tolerance: half the interval, above 0; or None.
    """

    confidence: float = 0.95
    sd: float | None = None
    tolerance: float | None = None


def expectation(
    metric: str,
    direction: str | None,
    values: Sequence[float],
    width: Width,
    seeds: Sequence[str] | None = None,
    notes: Sequence[str] = (),
) -> Expectation:
    """Return what values of some models let one expect of one more.

    Raises:
        BadExpectation: they have no spread and nobody gave one, or a value is too large.
    """
    if any(not abs(each) <= LARGEST for each in values):
        raise BadExpectation(
            f"metric {metric} is {max(values, key=abs):g} in a record; allowed: numbers up to "
            f"{LARGEST:g} in size; log it in another unit"
        )
    n, centre = len(values), mean(values)
    spread, by, confidence = width.sd, BY_SD, width.confidence
    # Quantiles are those of the lower tail: (1 + confidence) / 2 may be 1 where confidence is not.
    if width.tolerance is not None:
        half, by, spread = width.tolerance, BY_TOLERANCE, None
    elif width.sd is not None:
        half = -NormalDist().inv_cdf((1 - confidence) / 2) * width.sd * math.sqrt(1 + 1 / n)
    else:
        spread, by = _spread(metric, values), BY_SEEDS
        half = -_quantile((1 - confidence) / 2, n - 1) * spread * math.sqrt(1 + 1 / n)
    return Expectation(
        metric, direction, tuple(values), None if seeds is None else tuple(seeds), centre, spread,
        centre - half, centre + half, None if by == BY_TOLERANCE else confidence, by, tuple(notes),
    )  # fmt: skip


def _spread(metric: str, values: Sequence[float]) -> float:
    cure = "; give more records, --sd SD (over seeds) or --tolerance WIDTH"
    if len(values) < 2:
        raise BadExpectation(
            f"one value of {metric} has no spread: nobody can say how far another model may be "
            f"from it; allowed: records of two seeds or more{cure}"
        )
    found = deviation(values)
    if found == 0:
        raise BadExpectation(
            f"{metric} is {values[0]:g} under all {len(values)} seeds, which is no spread; "
            f"allowed: values that differ{cure}"
        )
    return found


def _quantile(probability: float, freedom: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(probability, freedom))
