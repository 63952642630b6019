"""How large a loss so many seeds would show.

The power of the t-test at a shift of the mean follows the noncentral t distribution (Cohen,
"Statistical power analysis for the behavioral sciences", 2nd edition, 1988, chapter 2). It asks for
the true standard deviation, of which there is an estimate from a few seeds. Put in its place, the
loss that is called found in 80 % was found in 72 to 76 % (10 seeds). So the power here is the mean
over all that the true one may be to its estimate, by the chi-squared distribution.
tests/evaluation/reference/test_power.py simulates it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.scores import summaries

if TYPE_CHECKING:
    from collections.abc import Sequence

POWER = 0.8

QUANTILES = 64
"""Middles of so many equal parts of the chi-squared distribution stand for all of it."""

WIDE = 50.0
"""Standard errors that any power below 1 is reached with."""


def smallest_loss(
    reference: Sequence[float], n: int, alpha: float, power: float = POWER
) -> float | None:
    """Return the smallest shift of the mean that is found with the given power, in the unit of
    the values; None where so few seeds can't be said to find any.

    Args:
        reference: values of the reference, two or more. Equal ones give 0: a shift of all runs
            is found however small it is.
        n: how many runs are compared with it.
        alpha: level of the two-sided test, after the share for all tests that are made.
        power: 0 to 1.
    """
    if len(reference) < 2 or n < 2:
        return None
    spread = summaries.deviation(reference)
    if spread == 0:
        return 0.0
    ratio = _in_spreads(len(reference), n, alpha, power)
    return None if ratio is None else ratio * spread


@lru_cache(maxsize=64)
def _in_spreads(n: int, m: int, alpha: float, power: float) -> float | None:
    """Return the loss in estimated standard deviations of the n reference values."""
    from scipy import optimize, stats

    freedom = n + m - 2
    limit = float(stats.t.ppf(1 - alpha / 2, freedom))
    parts = (numpy.arange(QUANTILES) + 0.5) / QUANTILES
    estimates = numpy.sqrt(stats.chi2.ppf(parts, n - 1) / (n - 1))

    def missing(shift: float) -> float:
        return float(_found(limit, freedom, shift * estimates).mean()) - power

    if missing(WIDE) < 0:
        return None
    return float(optimize.brentq(missing, 0.0, WIDE)) * math.sqrt(1 / n + 1 / m)


def _found(limit: float, freedom: int, shifts: Any) -> Any:
    """Return the power at shifts in standard errors; far beyond the limit SciPy has no number,
    and it is 1."""
    from scipy import stats

    with numpy.errstate(all="ignore"):
        found = stats.nct.sf(limit, freedom, shifts)
    return numpy.where(numpy.isnan(found), 1.0, found)
