"""All pairs of submissions at once, each on its common seeds.

For a board of 1,000 there are 499,500 of them, so a row of the table is one step and no test is
called for a single pair; `comparisons` has these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from seedlock.evaluation.scores.decidability import smallest_p

Array = Any
"""A NumPy array; NumPy is not typed here (pyproject.toml)."""


LARGE, SHRINK = 1e290, 2.0**-60
"""Where values are larger, all are multiplied by this power of two first, so that no difference of
two is beyond what a float holds. Nobody may spoil a board by a metric of 1e308."""


@dataclass(frozen=True)
class Pairs:
    """The comparisons of K submissions, K x K arrays.

    Attributes:
        difference: mean of the row less mean of the column, on their common seeds; 0 without any.
        p: two-sided, symmetric, of Welch's t-test or of the paired one; 1 where there is none.
        n: how many seeds they have in common.
    """

    difference: Array
    p: Array
    n: Array


def all_pairs(values: Array, paired: bool = False) -> Pairs:
    """Compare each submission with each other.

    Welch's t-test ("The generalization of Student's problem when several different population
    variances are involved", Biometrika 34, 1947) for independent samples, Student's of the
    differences for paired ones. Where nothing varies at all there is no t, and the permutation
    test takes its place: two different constants have its smallest p, equal ones have 1.

    Args:
        values: K x seeds; NaN where a submission has no value under a seed. Infinite ones are not
            allowed.
        paired: whether the runs under one seed belong together.

    Raises:
        ValueError: a value is infinite.
    """
    values = numpy.asarray(values, dtype=float)
    if numpy.isinf(values).any():
        raise ValueError("a value is infinite")
    factor = shrink(float(numpy.nanmax(numpy.abs(values), initial=0.0)))
    values = values * factor
    count = len(values)
    difference, p = numpy.zeros((count, count)), numpy.ones((count, count))
    n: Array = numpy.zeros((count, count), dtype=int)
    row_of = students_of_pairs if paired else welch
    for row in range(count - 1):
        others = slice(row + 1, count)
        found = row_of(values[row], values[others])
        difference[row, others], p[row, others], n[row, others] = found
        difference[others, row] = -found[0]
        p[others, row], n[others, row] = found[1], found[2]
    present = (~numpy.isnan(values)).sum(axis=1)
    n[numpy.arange(count), numpy.arange(count)] = present
    with numpy.errstate(over="ignore"):
        held = numpy.nan_to_num(difference / factor)  # infinite ones: the largest that there are
    return Pairs(held, p, n)


def shrink(largest: float) -> float:
    """Return by what to multiply values so that differences of two are finite: 1 as a rule."""
    return SHRINK if largest > LARGE else 1.0


def welch(one: Array, others: Array) -> tuple[Array, Array, Array]:
    """Return difference, p and number of common seeds of a row against each of others.

    Args:
        one: seeds; or as many rows as `others`, each compared with its own.
        others: rows x seeds; NaN without a value.
    """
    common = ~(numpy.isnan(one) | numpy.isnan(others))
    n = common.sum(axis=1)
    mine, my_error = _mean_and_error(numpy.where(common, one, 0.0), common, n)
    their, their_error = _mean_and_error(numpy.where(common, others, 0.0), common, n)
    with numpy.errstate(all="ignore"):
        difference = mine - their
        error = numpy.hypot(my_error, their_error)
        shares = (my_error / error) ** 4 + (their_error / error) ** 4
        p = _two_sided(difference, error, (n - 1) / shares)
    return difference, _without_spread(p, difference, error, n, paired=False), n


def students_of_pairs(one: Array, others: Array) -> tuple[Array, Array, Array]:
    """Return the same as `welch`, of the differences under each seed."""
    common = ~(numpy.isnan(one) | numpy.isnan(others))
    n = common.sum(axis=1)
    with numpy.errstate(all="ignore"):
        apart = numpy.where(common, one - others, 0.0)
        difference, error = _mean_and_error(apart, common, n)
        p = _two_sided(difference, error, n - 1)
    return difference, _without_spread(p, difference, error, n, paired=True), n


def _mean_and_error(values: Array, common: Array, n: Array) -> tuple[Array, Array]:
    """Return mean and its standard error for each row, of the common values only.

    Each is divided before it is added, and squares are of quotients, so that neither 1e200 nor
    1e-200 is lost. A row of equal values has the error 0 exactly.
    """
    with numpy.errstate(all="ignore"):
        lowest = numpy.where(common, values, numpy.inf).min(axis=1)
        highest = numpy.where(common, values, -numpy.inf).max(axis=1)
        equal = lowest == highest
        mean = numpy.where(n > 0, (values / numpy.maximum(n, 1)[:, None]).sum(axis=1), 0.0)
        mean = numpy.where(equal, lowest, mean)
        apart = numpy.where(common, values - mean[:, None], 0.0)
        widest = numpy.abs(apart).max(axis=1)
        squares = ((apart / numpy.where(widest > 0, widest, 1.0)[:, None]) ** 2).sum(axis=1)
        error = widest * numpy.sqrt(squares / (n - 1) / n)
    return mean, numpy.where(equal, 0.0, error)


def _two_sided(difference: Array, error: Array, freedom: Array) -> Array:
    from scipy import special  # here, so that a server starts without it

    return 2 * special.stdtr(freedom, -numpy.abs(difference / error))


def _without_spread(p: Array, difference: Array, error: Array, n: Array, *, paired: bool) -> Array:
    counts, where = numpy.unique(n, return_inverse=True)
    least = numpy.array([smallest_p(int(each), paired) for each in counts])[where]
    constant = numpy.where(difference == 0, 1.0, least)
    return numpy.where(n < 2, 1.0, numpy.where(error == 0, constant, p))
