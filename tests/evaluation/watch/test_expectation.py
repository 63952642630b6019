"""The interval for one more model: how often it holds one, and where nobody can give one."""

from __future__ import annotations

import math

import numpy
import pytest

from seedlock.evaluation.watch.expectation import BadExpectation, Width, expectation


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_holds_as_many_further_models_as_it_says(
    seeds: int, confidence: float
) -> None:
    """Of 2,000 recipes of which some models are known and one more is drawn."""
    generator = numpy.random.default_rng(5)
    values = generator.normal(0.9, 0.01, size=(2000, seeds + 1))

    held = 0
    for row in values:
        known = expectation("a", "max", [float(each) for each in row[:-1]], Width(confidence))
        held += known.low <= row[-1] <= known.high

    assert abs(held / 2000 - confidence) < 0.025


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.9], "one value of a has no spread"),
        ([0.9, 0.9, 0.9], "under all 3 seeds"),
        ([1e200, 1.0], "1e\\+200 in a record"),
    ],
)
def test_what_has_no_spread_is_refused(values: list[float], said: str) -> None:
    """And the line says what to give instead."""
    with pytest.raises(BadExpectation, match=said) as refusal:
        expectation("a", "max", values, Width())

    assert "allowed: " in str(refusal.value)


def test_one_record_with_what_somebody_says_of_the_spread() -> None:
    """A deviation over seeds counts for the record's own value, too; a tolerance is taken as is."""
    by_sd = expectation("a", "max", [0.9], Width(sd=0.01))
    by_tolerance = expectation("a", "max", [0.9], Width(tolerance=0.02))

    assert by_sd.high - 0.9 == pytest.approx(1.959964 * 0.01 * 2**0.5)
    assert (by_tolerance.low, by_tolerance.high) == pytest.approx((0.88, 0.92))
    assert (by_sd.by, by_tolerance.by, by_tolerance.confidence) == ("sd", "tolerance", None)


def test_any_confidence_below_1_has_an_interval() -> None:
    """Also one of which nothing is left when it is added to 1."""
    nearly = Width(math.nextafter(1.0, 0.0))
    by_seeds = expectation("a", "max", [0.8, 0.9], nearly)
    by_sd = expectation("a", "max", [0.9], Width(nearly.confidence, sd=0.01))

    assert math.isfinite(by_seeds.high) and math.isfinite(by_sd.high)
    assert by_seeds.high > 1e10 and by_sd.high == pytest.approx(0.9 + 8.2924 * 0.01 * 2**0.5)


def test_a_range_is_guessed_for_shares_only() -> None:
    """Of a loss below 1 nobody knows that it stays there."""
    assert expectation("a", "max", [0.8, 0.9], Width()).bounds == (0.0, 1.0)
    assert expectation("a", "min", [0.8, 0.9], Width()).bounds is None
    assert expectation("a", "max", [0.8, 1.1], Width()).bounds is None
    assert expectation("a", None, [0.8, 0.9], Width()).bounds is None
