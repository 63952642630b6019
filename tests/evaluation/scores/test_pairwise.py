"""All pairs at once, against SciPy's test of each."""

from __future__ import annotations

import tracemalloc

import numpy
import pytest
from scipy import stats

from seedlock.evaluation.scores.decidability import smallest_p
from seedlock.evaluation.scores.pairwise import all_pairs


@pytest.mark.parametrize("paired", [False, True])
def test_each_pair_is_scipys(paired: bool) -> None:
    """With gaps, on the common seeds of each pair."""
    generator = numpy.random.default_rng(1)
    values = generator.normal(size=(12, 9)) * generator.lognormal(size=(12, 1), sigma=2)
    values[generator.random(values.shape) < 0.3] = numpy.nan
    values[11] = numpy.nan
    found = all_pairs(values, paired)

    compared = 0
    for one in range(12):
        for other in range(12):
            common = ~numpy.isnan(values[one]) & ~numpy.isnan(values[other])
            a, b = values[one][common], values[other][common]
            assert found.n[one, other] == len(a)
            if one == other or len(a) < 2:
                continue
            theirs = stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)
            assert found.p[one, other] == pytest.approx(theirs.pvalue, rel=1e-9)
            assert found.difference[one, other] == pytest.approx(a.mean() - b.mean(), abs=1e-12)
            compared += 1
    assert compared > 80


@pytest.mark.parametrize("scale", [1e-250, 1e250])
@pytest.mark.parametrize("paired", [False, True])
def test_magnitudes(scale: float, paired: bool) -> None:
    """p does not depend on the unit, though squares would leave what a float holds."""
    values = numpy.array([[1.0, 2.0, 4.0, 3.0], [2.0, 4.5, 6.0, 9.0]])

    expected = all_pairs(values, paired).p[0, 1]

    assert 0 < expected < 1
    assert all_pairs(values * scale, paired).p[0, 1] == pytest.approx(expected)


def test_values_of_all_magnitudes_together() -> None:
    """A loss that diverged takes nothing from the others."""
    values = numpy.array(
        [[0.1, 0.2, 0.15, 0.12], [0.3, 0.4, 0.35, 0.31], [1e200, 3e200, 2e200, 9.0]]
    )

    found = all_pairs(values)

    alone = all_pairs(values[:2])
    assert found.p[0, 1] == alone.p[0, 1]
    assert 0 < found.p[0, 2] < 1


@pytest.mark.parametrize("paired", [False, True])
def test_nobody_spoils_a_board_by_its_values(paired: bool) -> None:
    """The largest and the smallest numbers that there are: each p is one, and the others' stay."""
    largest, smallest = 1.7976931348623157e308, 5e-324
    values = numpy.array([
        [1.0, 2.0, 4.0, 3.0], [2.0, 4.5, 6.0, 9.0], [largest, -largest, largest, -largest],
        [-largest] * 4, [smallest, -smallest, smallest, 0.0], [largest, 0.5, 1.0, smallest],
    ])  # fmt: skip

    found = all_pairs(values, paired)

    assert ((found.p >= 0) & (found.p <= 1)).all()
    assert numpy.isfinite(found.difference).all()
    assert found.p[0, 1] == pytest.approx(all_pairs(values[:2], paired).p[0, 1])


@pytest.mark.parametrize("paired", [False, True])
def test_without_spread_permutations_decide(paired: bool) -> None:
    """Two constants differ by no more than all ways to deal them out can show; equal ones not."""
    found = all_pairs(numpy.array([[1.0] * 5, [2.0] * 5, [2.0] * 5]), paired)

    assert found.p[0, 1] == smallest_p(5, paired)
    assert found.p[1, 2] == 1.0


def test_one_constant_and_a_spread() -> None:
    """Welch's test has an answer: that of the one sample against a known number."""
    a, b = [0.8] * 5, [0.81, 0.83, 0.79, 0.84, 0.82]

    expected = stats.ttest_1samp(b, 0.8).pvalue

    assert all_pairs(numpy.array([a, b])).p[0, 1] == pytest.approx(expected)


def test_one_common_seed_shows_nothing() -> None:
    """Nor none at all."""
    gap = numpy.nan
    values = numpy.array([[1.0, gap, gap], [5.0, 2.0, gap], [gap, gap, 3.0]])

    found = all_pairs(values)

    assert (found.n[0, 1], found.n[0, 2]) == (1, 0)
    assert (found.p[0, 1], found.p[0, 2]) == (1.0, 1.0)
    assert (found.difference[0, 1], found.difference[0, 2]) == (-4.0, 0.0)


def test_infinity_is_refused() -> None:
    """NaN stands for a seed without a value, and comes from nowhere else."""
    with pytest.raises(ValueError, match="infinite"):
        all_pairs(numpy.array([[1.0, numpy.inf], [1.0, 2.0]]))


def test_a_large_board_takes_little_memory() -> None:
    """1,000 submissions under 10 seeds: three tables of a million numbers and a row's work."""
    values = numpy.random.default_rng(2).normal(size=(1_000, 10))
    tracemalloc.start()
    found = all_pairs(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found.p.shape == (1_000, 1_000)
    assert peak < 64 << 20
