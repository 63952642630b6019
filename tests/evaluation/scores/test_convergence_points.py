"""MLPerf's reference convergence points: the examples of its rule book, and seedlock's variant."""

from __future__ import annotations

import math

import numpy
import pytest
from scipy import stats

from seedlock.evaluation.scores.convergence_points import InvalidRuns, Points, allowed, points

BATCH_128 = [16, 14, 16, 17, 16, 16, 15, 16, 15, 16]
BATCH_256 = [20, 21, 21, 20, 22, 22, 21, 21, 20, 20]
S1, S2, S3 = [15, 15, 15, 16, 16], [19, 19, 19, 20, 21], [17, 18, 18, 18, 20]
"""Epochs of "Appendix: RCP Examples" in training_rules.adoc of mlcommons/training_policies."""


@pytest.mark.parametrize(
    ("reference", "mean", "sd", "least", "percent"),
    [(BATCH_128, 15.75, 0.43, 15.21, 3.53), (BATCH_256, 20.75, 0.66, 19.93, 4.12)],
)
def test_references_of_the_rule_book(
    reference: list[float], mean: float, sd: float, least: float, percent: float
) -> None:
    """Ten runs against five, as the text has them, to its last digit."""
    found = points(reference)
    limits = allowed(found, points(S1).n)

    assert limits.speed_up is not None
    assert (found.mean, round(found.sd, 2), found.n) == (mean, sd, 8)
    assert round(limits.least, 2) == least
    assert round(100 * limits.speed_up, 2) == percent
    assert limits.most is None


def test_submissions_of_the_rule_book() -> None:
    """S1 passes with 15.33 epochs, S2 fails with 19.33."""
    first, second = points(S1), points(S2)

    assert (round(first.mean, 2), round(second.mean, 2)) == (15.33, 19.33)
    assert allowed(points(BATCH_128), first.n).holds(first.mean)
    assert not allowed(points(BATCH_256), second.n).holds(second.mean)


def test_the_interpolated_example_counts_the_reference_otherwise() -> None:
    """S3's 3.68 % follow from ten reference runs, the other examples' numbers from eight."""
    low, high = points(BATCH_128), points(BATCH_256)
    between = ((low.mean + high.mean) / 2, (low.sd + high.sd) / 2)
    as_printed, as_elsewhere = (allowed(Points(*between, n), points(S3).n) for n in (10, 8))

    assert as_printed.speed_up is not None and as_elsewhere.speed_up is not None
    assert (between[0], round(between[1], 3)) == (18.25, 0.547)
    assert round(100 * as_printed.speed_up, 2) == 3.68
    assert round(100 * as_elsewhere.speed_up, 2) == 3.87
    assert points(S3).mean == 18
    assert as_printed.holds(18) and as_elsewhere.holds(18)


def test_it_is_not_what_the_checker_does() -> None:
    """With the standard deviation of all runs a submission at 15.0 epochs would pass."""
    checkers = Points(15.75, float(numpy.std(BATCH_128)), 8)
    laxer = allowed(checkers, 3)

    assert laxer.speed_up is not None
    assert round(100 * laxer.speed_up, 2) == 6.56
    assert laxer.holds(15.0)
    assert not allowed(points(BATCH_128), 3).holds(15.0)


def test_one_run_may_miss_the_target() -> None:
    """It is the slowest and dropped; a second one makes the runs invalid, three are the fewest."""
    assert points([15, None, 15, 14, 16]) == points([15, 99, 15, 14, 16])
    with pytest.raises(InvalidRuns, match="2 of 5 runs missed the target"):
        points([15, None, 15, None, 16])
    with pytest.raises(InvalidRuns, match="three are the fewest"):
        points([15, 15])


def test_the_rule_book_allows_any_slowness_and_the_variant_does_not() -> None:
    """Twice as many epochs pass MLPerf's rule; seedlock's has two bounds, each of half the p."""
    reference = points(BATCH_128)
    both = allowed(reference, 8, two_sided=True)
    quantile = stats.t.ppf(0.975, 14)

    assert allowed(reference, 8).holds(2 * reference.mean)
    assert not both.holds(2 * reference.mean)
    assert both.most is not None
    assert both.most - reference.mean == pytest.approx(quantile * reference.sd * math.sqrt(1 / 4))
    assert reference.mean - both.least == pytest.approx(both.most - reference.mean)


def test_runs_that_all_agree() -> None:
    """Without spread nothing but the same mean is allowed, and that is."""
    limits = allowed(points([3] * 10), 8, two_sided=True)

    assert (limits.least, limits.most) == (3, 3)
    assert limits.holds(3)
    assert not limits.holds(3.125)


def test_what_has_no_degree_of_freedom() -> None:
    """One run against one says nothing; a least mean below zero has no speed-up."""
    with pytest.raises(InvalidRuns, match="too few"):
        allowed(points([1, 2, 3]), 1)
    assert allowed(Points(1.0, 5.0, 8), 3).speed_up is None
