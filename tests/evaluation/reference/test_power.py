"""The smallest loss that so many seeds show: by simulation with the spread as an estimate."""

from __future__ import annotations

import numpy
import pytest
from scipy import stats

from seedlock.evaluation.reference.power import smallest_loss

SIMULATED = 4000


def _found(n: int, alpha: float, shift: float = 1.0) -> float:
    """Return how often Welch's test finds `shift` times the loss stated for each reference."""
    draws = numpy.random.default_rng(20_261_122)
    reference, measured = (draws.standard_normal((SIMULATED, n)) for _ in range(2))
    stated = numpy.array([smallest_loss(each, n, alpha) for each in reference.tolist()])
    worse = measured - shift * stated[:, None]
    p = stats.ttest_ind(reference, worse, axis=1, equal_var=False).pvalue
    return float((p <= alpha).mean())


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("tests", [1, 2, 30])
def test_what_is_stated_is_found(n: int, tests: int) -> None:
    """In 80 to 90 % of the pairs of samples, and half of that loss much less often."""
    alpha = 0.05 / tests

    assert 0.80 <= _found(n, alpha) <= 0.90
    assert _found(n, alpha, 0.5) < 0.5


def test_known_answers() -> None:
    """Ten seeds against ten show 1.46 estimated standard deviations; 30 tests ask for 2.33."""
    values = [float(each) for each in range(10)]
    spread = float(numpy.std(values, ddof=1))
    once, often = (smallest_loss(values, 10, alpha) for alpha in (0.05, 0.05 / 30))

    assert once is not None and often is not None
    assert (round(once / spread, 2), round(often / spread, 2)) == (1.46, 2.33)


def test_no_spread_and_too_few() -> None:
    """Equal values: any shift of all is seen. One value says nothing, nor does a level so small
    that no test of two against two gets there."""
    assert smallest_loss([0.5] * 10, 10, 0.01) == 0.0
    assert smallest_loss([0.5], 10, 0.01) is None
    assert smallest_loss([0.5, 0.6], 2, 1e-9) is None


def test_the_unit_is_that_of_the_values() -> None:
    """A thousand times the values, a thousand times the loss."""
    values = [0.1, 0.2, 0.4, 0.3]
    small = smallest_loss(values, 4, 0.05)

    assert small is not None
    assert smallest_loss([1000 * each for each in values], 4, 0.05) == pytest.approx(1000 * small)
