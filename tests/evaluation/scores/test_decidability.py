"""What so many seeds can show at all."""

from __future__ import annotations

import pytest

from seedlock.evaluation.scores.decidability import (
    decidable,
    least_seeds,
    seeds_needed,
    smallest_p,
    why,
)
from seedlock.evaluation.scores.permutation import permutation


@pytest.mark.parametrize(
    ("n", "expected"), [(1, 1.0), (2, 0.3333), (3, 0.10), (4, 0.0286), (5, 0.00794), (6, 0.00216)]
)
def test_smallest_p(n: int, expected: float) -> None:
    """That of values of which all of one are above all of the other."""
    assert smallest_p(n) == pytest.approx(expected, abs=5e-5)
    low, high = [float(each) for each in range(n)], [float(each) for each in range(n, 2 * n)]
    assert permutation(low, high).p == smallest_p(n)


@pytest.mark.parametrize(("n", "expected"), [(1, 1.0), (5, 0.0625), (6, 0.03125)])
def test_smallest_p_of_pairs(n: int, expected: float) -> None:
    """That of differences with one sign."""
    assert smallest_p(n, paired=True) == expected
    low, high = [0.0] * n, [float(each) for each in range(1, n + 1)]
    assert permutation(low, high, paired=True).p == expected


def test_three_seeds_decide_nothing() -> None:
    """Four do, and six pairs."""
    assert not decidable(3) and decidable(4)
    assert not decidable(5, paired=True) and decidable(6, paired=True)
    assert (least_seeds(), least_seeds(paired=True)) == (4, 6)
    assert "not decidable with 3 common seeds" in why(3) and "is 0.1, above 0.05" in why(3)
    assert "not decidable" not in why(5)
    assert why(0).startswith("not decidable")


def test_ten_thousand_seeds_are_no_trouble() -> None:
    """As many as a policy may have."""
    assert smallest_p(10_000) == 0.0
    assert smallest_p(10_000, paired=True) == 0.0


def test_noether() -> None:
    """29 seeds for a probability of improvement of 0.75 (28.86, rounded up)."""
    assert seeds_needed() == 29
