"""Summaries of few values: known answers, extremes, and how often an interval covers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy
import pytest
from scipy import stats

from seedlock.evaluation.scores import summaries
from seedlock.evaluation.scores.summaries import deviation, half_width, mean, summary

A = [0.912, 0.918, 0.905, 0.921, 0.909]
B = [0.903, 0.911, 0.907, 0.908, 0.900]


def test_the_example() -> None:
    """Means, standard deviations and the interval of the documents' two methods."""
    a, b = summary(A), summary(B)

    assert a is not None and b is not None
    assert (a.mean, b.mean) == pytest.approx((0.9130, 0.9058), abs=1e-12)
    assert (a.sd, b.sd) == pytest.approx((0.0065192, 0.0043243), abs=5e-8)
    assert (a.low, a.high) == pytest.approx((0.904905, 0.921095), abs=5e-7)
    assert (a.n, a.median, a.minimum, a.maximum) == (5, 0.912, 0.905, 0.921)


@pytest.mark.parametrize(
    ("times", "expected", "spread"),
    [
        ([16, 14, 16, 17, 16, 16, 15, 16, 15, 16], 15.75, 0.43),
        ([20, 21, 21, 20, 22, 22, 21, 21, 20, 20], 20.75, 0.66),
    ],
)
def test_olympic_means_of_mlperf(times: list[int], expected: float, spread: float) -> None:
    """MLPerf's rule book: without the best and the worst run. Its deviation has n below the line,
    ours n - 1."""
    kept = [float(each) for each in sorted(times)[1:-1]]

    assert mean(kept) == expected
    assert deviation(kept) * math.sqrt((len(kept) - 1) / len(kept)) == pytest.approx(
        spread, abs=0.005
    )


def test_runs_of_mlperf() -> None:
    """Means of its rule book's submissions, and of 20 runs of llama31_8b."""
    llama = [159744.0] * 17 + [172032.0] * 3

    assert mean([15, 15, 15, 16, 16][1:-1]) == pytest.approx(15.33, abs=0.005)
    assert mean([19, 19, 19, 20, 21][1:-1]) == pytest.approx(19.33, abs=0.005)
    assert mean(llama) == pytest.approx(161587.2)
    assert deviation(llama) == pytest.approx(4501.678676, abs=5e-7)
    assert deviation(llama) / mean(llama) == pytest.approx(0.03, abs=0.005)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 8, 4, 38, 8, 6, 9, 7, 7, 3, 1, 6], 6.5),
        ([1, 4, 9], None),
        ([1, 4, 9, 16], 6.5),
        ([1, 4, 9, 16, 25], 9.6667),
        ([each**2 for each in range(1, 9)], 21.5),
        ([each**2 for each in range(1, 11)], 33.1667),
        ([1, 2, 2, 2, 1, 1, 2, 1], 1.5),
        ([1, 1, 2, 2, 3, 3], 2),
    ],
)
def test_interquartile_mean(values: list[float], expected: float | None) -> None:
    """From four values up; the last two are those of rliable's tests, runs and tasks together."""
    found = summaries.interquartile_mean(values)

    assert found == (expected if expected is None else pytest.approx(expected, abs=5e-5))
    if found is not None:
        assert found == pytest.approx(stats.trim_mean(values, 0.25))


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([[1, 2], [2, 2], [1, 1], [2, 1]], 1.5),
        ([[1, 1], [2, 2], [3, 3]], 2.0),
    ],
)
def test_mean_and_median_of_rliable(tasks: list[list[float]], expected: float) -> None:
    """Its tests' examples, runs by tasks: the mean of the tasks' means, and their median."""
    means = [mean(each) for each in zip(*tasks, strict=True)]
    found = summary(means)

    assert found is not None
    assert (found.mean, found.median) == (expected, expected)


def test_three_values_are_not_trimmed() -> None:
    """SciPy's trimmed mean of three is the plain one, 4.6667, and is called nothing else here."""
    found = summary([1, 4, 9])

    assert found is not None and found.iqm is None
    assert found.mean == pytest.approx(4.6667, abs=5e-5)
    assert found.mean == pytest.approx(stats.trim_mean([1, 4, 9], 0.25))


@pytest.mark.parametrize(("n", "expected"), [(2, 8.98), (3, 2.484), (5, 1.242), (10, 0.715)])
def test_half_widths(n: int, expected: float) -> None:
    """Of the 95 % interval, in standard deviations."""
    assert half_width(n) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("n", "bias"), [(2, 0.7979), (3, 0.8862), (5, 0.9400), (10, 0.9727)])
def test_the_deviation_is_as_small_as_theory_says(n: int, bias: float) -> None:
    """Its mean over many normal samples is c4 times the true one, so ddof is 1."""
    samples = numpy.random.default_rng(1).normal(size=(4_000, n))

    found = [deviation(each) for each in samples.tolist()]

    assert numpy.mean(found) == pytest.approx(bias, abs=0.02)


def test_the_interval_is_scipys() -> None:
    """Of many samples of many sizes."""
    generator = numpy.random.default_rng(2)
    for n in (2, 3, 7, 30):
        values = generator.lognormal(size=n).tolist()
        found = summary(values)
        theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)

        assert found is not None
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=1e-11)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_cover(n: int) -> None:
    """94 to 96 % of 20,000 samples; the interval by 1.96 standard errors would not."""
    samples = numpy.random.default_rng(n).normal(10, 3, size=(20_000, n))
    centres, spreads = samples.mean(axis=1), samples.std(axis=1, ddof=1)

    covered = numpy.abs(centres - 10) <= half_width(n) * spreads
    naive = numpy.abs(centres - 10) <= 1.96 * spreads / math.sqrt(n)
    some = [summary(each) for each in samples[:200].tolist()]

    assert 0.94 <= covered.mean() <= 0.96
    assert naive.mean() < 0.93
    for one, inside in zip(some, covered, strict=False):
        assert one is not None and one.low is not None and one.high is not None
        assert (one.low <= 10 <= one.high) == inside


def test_one_value_and_none() -> None:
    """One has a mean and nothing about its spread."""
    assert summary([]) is None
    one = summary([0.5])
    assert one is not None
    assert (one.mean, one.sd, one.low, one.high, one.iqm) == (0.5, None, None, None, None)


def test_equal_values_have_no_spread() -> None:
    """Exactly none, whatever their sum rounds to."""
    found = summary([0.1] * 3)

    assert found is not None
    assert (found.mean, found.sd, found.low, found.high) == (0.1, 0.0, 0.1, 0.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    """It can't come from a record, and is never passed over."""
    with pytest.raises(ValueError, match="finite"):
        summary([1.0, bad, 2.0])


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e200, 1e307])
def test_magnitudes(scale: float) -> None:
    """Sums and squares beyond what a float holds are never made."""
    values = [each * scale for each in (1.0, 2.0, 4.0, 8.0)]
    exact = [Fraction(each) for each in values]
    middle = sum(exact) / 4
    squares = sum((each - middle) ** 2 for each in exact) / 3

    found = summary(values)

    assert found is not None and found.sd is not None
    assert found.mean == pytest.approx(float(middle), rel=1e-15, abs=0)
    assert Fraction(found.sd) ** 2 / squares == pytest.approx(1, rel=1e-14)
    assert found.low is not None and found.low < found.mean


def test_small_differences_of_large_values_are_seen() -> None:
    """Differences are taken before squares."""
    assert deviation([1e9 + each for each in (0.0, 1.0, 2.0)]) == 1.0


def test_an_interval_that_no_float_holds_is_none() -> None:
    """Its standard deviation may be held."""
    found = summary([-1.7e308, 1.7e308])

    assert found is not None
    assert (found.mean, found.low, found.high) == (0.0, None, None)
