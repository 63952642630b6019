"""Two submissions side by side: known answers, and how often intervals cover."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy
import pytest
from scipy import stats

from seedlock.evaluation.scores import permutation as permutations
from seedlock.evaluation.scores.comparisons import Comparison, compare, improvement
from seedlock.evaluation.scores.permutation import permutation
from tests.evaluation.scores.test_summaries import A, B

EXTRA_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
EXTRA_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
"""Student's sleep data: Biometrika 6 (1908); R's data set `sleep`."""


def _state() -> list[int]:
    state: Any = numpy.random.get_state()
    words: list[int] = state[1].tolist()
    return words


def compared(a: list[float], b: list[float], paired: bool = False) -> Comparison:
    """Return a comparison with all of its parts."""
    found = compare(a, b, paired=paired)
    assert found.primary is not None
    assert found.permutation is not None and found.improvement is not None
    return found


def test_students_sleep_data() -> None:
    """Welch and paired as R prints them in the help of `sleep` and t.test."""
    apart, together = compared(EXTRA_1, EXTRA_2), compared(EXTRA_1, EXTRA_2, paired=True)

    assert apart.primary is not None and together.primary is not None
    assert apart.primary.statistic == pytest.approx(-1.8608, abs=5e-5)
    assert apart.primary.p == pytest.approx(0.07939, abs=5e-6)
    assert apart.primary.freedom == pytest.approx(17.776, abs=5e-4)
    assert together.primary.statistic == pytest.approx(-4.0621, abs=5e-5)
    assert together.primary.p == pytest.approx(0.002833, abs=5e-7)
    assert (together.low, together.high) == pytest.approx((-2.4599, -0.7001), abs=5e-5)


def test_the_example_where_tests_disagree() -> None:
    """docs/scores.md shows it: three tests above 5 %, two below, of one pair of samples."""
    apart, together = compared(A, B), compared(A, B, paired=True)

    assert apart.primary is not None and together.primary is not None
    assert apart.permutation is not None and together.permutation is not None
    assert apart.improvement is not None
    assert apart.primary.statistic == pytest.approx(2.05798, abs=5e-6)
    assert apart.primary.freedom == pytest.approx(6.94906, abs=5e-6)
    assert apart.primary.p == pytest.approx(0.078893, abs=5e-7)
    assert (apart.improvement.u, apart.improvement.probability) == (21, 0.84)
    assert stats.mannwhitneyu(A, B, alternative="greater").pvalue == pytest.approx(
        0.047619, abs=5e-7
    )
    assert apart.permutation.p == pytest.approx(24 / 252, rel=1e-12)
    assert apart.permutation.exact
    assert together.primary.p == pytest.approx(0.044909, abs=5e-7)
    assert together.permutation.p == 0.125
    assert (apart.decidable, together.decidable) == (True, False)
    assert not apart.improvement.meaningful


def test_probability_of_improvement_of_rliable() -> None:
    """Its tests' example: the mean over the tasks of 5/24 and 11/24 is 1/3."""
    x, y = [[1, 2, 1, 2], [2, 2, 1, 1]], [[1, 2, 3], [1, 2, 3]]

    found = [improvement(a, b).probability for a, b in zip(x, y, strict=True)]

    assert sum(found) / 2 == pytest.approx(1 / 3)


@pytest.mark.parametrize("paired", [False, True])
def test_permutations_are_scipys(paired: bool) -> None:
    """Exact ones, of values with ties."""
    generator = numpy.random.default_rng(1)
    for n in (2, 3, 4, 5, 6):
        a, b = generator.integers(0, 6, size=(2, n)).astype(float).tolist()
        theirs = stats.permutation_test(
            (a, b), lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis), vectorized=True,
            permutation_type="samples" if paired else "independent", n_resamples=10_000,
        )  # fmt: skip

        assert permutation(a, b, paired).p == pytest.approx(theirs.pvalue)


def test_decimal_ties_are_ties() -> None:
    """Sums that are equal as decimals and not as floats: SciPy says 0.558 here, and calls fewer
    ways as extreme as they are."""
    a, b = [2000.5, 2000.3, 2000.5, 2000.4, 2000.4, 2000.2], [2000.5, 2000, 2000.3, 2000.4, 2000.5]
    tenths: list[Any] = [Fraction(round(each * 10)) for each in [*a, *b]]
    observed = abs(sum(tenths[:6]) * 11 - sum(tenths) * 6)
    extreme = sum(
        abs(sum(each) * 11 - sum(tenths) * 6) >= observed for each in combinations(tenths, 6)
    )

    assert permutation(a, b).p == extreme / math.comb(11, 6)


def test_many_seeds_are_drawn_and_repeat() -> None:
    """By a generator of its own, and NumPy's stays as it was."""
    generator = numpy.random.default_rng(2)
    a, b = generator.normal(size=30).tolist(), (generator.normal(size=30) + 0.2).tolist()
    numpy.random.seed(1)
    before = _state()

    first, second = permutation(a, b), permutation(a, b)

    assert not first.exact
    assert first == second
    assert first.p == pytest.approx(stats.ttest_ind(a, b).pvalue, abs=0.02)
    assert permutation(a, [each + 9 for each in b]).p == first.smallest
    assert _state() == before
    assert math.comb(20, 10) <= permutations.EXACT


@pytest.mark.parametrize("n", [4, 5, 10])
def test_intervals_of_improvement_cover(n: int) -> None:
    """92.5 % or more of 3,000 samples, for probabilities from one half to 0.98; near 95 % where it
    matters, and less at the end of the scale, where a sample has few different U."""
    generator = numpy.random.default_rng(n)
    for shift in (0.0, 1.0, 2.0, 3.0):
        true = float(stats.norm.cdf(shift / math.sqrt(2)))
        a, b = generator.normal(size=(3_000, n)) + shift, generator.normal(size=(3_000, n))
        wins = (a[:, :, None] > b[:, None, :]).sum(axis=(1, 2))
        # The interval depends on U and n alone, so one sample of each U is enough.
        known = {
            int(u): improvement(a[first].tolist(), b[first].tolist())
            for u, first in zip(*numpy.unique(wins, return_index=True), strict=True)
        }
        found = [known[int(u)] for u in wins]
        covered = [
            each.low is not None and each.high is not None and each.low <= true <= each.high
            for each in found
        ]

        assert numpy.mean(covered) >= 0.925


def test_three_runs_have_no_interval_of_improvement() -> None:
    """It would cover in 90 % only, and call the better of three against three better."""
    found = improvement([4, 5, 6], [1, 2, 3])

    assert (found.probability, found.low, found.high, found.meaningful) == (1.0, None, None, False)


def test_better_needs_an_interval_above_a_half() -> None:
    """And a probability of three quarters."""
    four = improvement([5, 6, 7, 8], [1, 2, 3, 4])
    assert four.low is not None and four.low > 0.5 and four.high == 1.0 and four.meaningful

    even = improvement([1, 2, 3, 4], [1, 2, 3, 4])
    assert even.probability == 0.5 and even.low is not None and even.high is not None
    assert even.low + even.high == pytest.approx(1)
    assert not even.meaningful


def test_direction_turns_the_improvement() -> None:
    """Less is better, and the difference stays in the metric's own sign."""
    more, less = compare(A, B, "max"), compare(A, B, "min")

    assert more.improvement is not None and less.improvement is not None
    assert more.improvement.probability == pytest.approx(1 - less.improvement.probability)
    assert more.difference == less.difference


def test_common_seeds_only() -> None:
    """What one of them lacks does not enter, and it is said which did."""
    found = compare([1.0, None, 3.0, 4.0], [2.0, 5.0, None, 7.0])

    assert (found.n, found.seeds) == (2, [0, 3])
    assert found.difference == pytest.approx(2.5 - 4.5)
    assert not found.decidable


def test_one_common_seed_and_none() -> None:
    """There is no test of it, and no interval."""
    one, none = compare([1.0, None], [2.0, 3.0]), compare([1.0, None], [None, 3.0])

    assert (one.n, one.difference, one.primary, one.improvement) == (1, -1.0, None, None)
    assert (none.n, none.difference, none.why[:13]) == (0, None, "not decidable")


def test_without_spread() -> None:
    """There is no interval of the difference, and permutations are the test."""
    found = compare([1.0] * 5, [2.0] * 5)

    assert found.primary is not None and found.permutation is not None
    assert found.primary.p == found.permutation.p
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("paired", [False, True])
def test_magnitudes(paired: bool) -> None:
    """What no float holds is None, and everything else a number: standings are JSON."""
    largest, smallest = 1.7976931348623157e308, 5e-324
    rows = [
        [largest, -largest, largest, -largest], [-largest] * 4, [largest] * 4, [0.5] * 4,
        [smallest, -smallest, smallest, 0.0], [largest, 0.5, 1.0, smallest], [1e-200, 2e-200] * 2,
    ]  # fmt: skip
    for a in rows:
        for b in rows:
            found = compare(a, b, paired=paired)

            json.dumps(found.as_dict(), allow_nan=False)
            assert found.primary is not None and 0 <= found.primary.p <= 1
    apart = compare([1e-200, 2e-200, 4e-200, 3e-200], [5e-200, 9e-200, 8e-200, 6e-200])
    assert apart.primary is not None and apart.primary.statistic == pytest.approx(
        stats.ttest_ind([1, 2, 4, 3], [5, 9, 8, 6], equal_var=False).statistic
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    """Nor can seeds be left out by it."""
    with pytest.raises(ValueError, match="finite"):
        compare([1.0, bad], [1.0, 2.0])
    with pytest.raises(ValueError, match="zip"):
        compare([1.0], [1.0, 2.0])
