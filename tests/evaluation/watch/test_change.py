"""Has a log changed within itself? By ranks: the bound, exactly and by simulation."""

from __future__ import annotations

import itertools

import numpy
import pytest

from seedlock.evaluation.watch.change import Change
from seedlock.evaluation.watch.level import ABOVE, BELOW
from tests.evaluation.watch import simulations
from tests.evaluation.watch.simulations import MIDDLE, NOISE, RATE, alike, false_alarms


@pytest.mark.parametrize(
    "values", [(1, 2, 3, 4, 5, 6), (1, 1, 1, 2, 3, 3), (0, 0, 0, 0, 0, 9), (7, 7, 7, 7, 7, 7)]
)
def test_evidence_has_a_mean_of_one_at_most(values: tuple[int, ...]) -> None:
    """Over all orders of some values, also where many are equal: whatever their distribution."""
    orders = numpy.array(list(itertools.permutations(values)), dtype=float)
    test = Change(len(orders))

    means = [float(numpy.exp(test.add(orders[:, line])).mean()) for line in range(len(values))]

    assert all(0 < each <= 1 + 1e-12 for each in means)
    if len(set(values)) == len(values):  # nothing is given away
        assert means == pytest.approx([1.0] * len(values))


@pytest.mark.parametrize("noise", ["normal", "heavy", "skewed"])
def test_false_alarms_are_no_more_than_was_said(noise: str) -> None:
    """At lines 30, 100 and 300."""
    drawn = getattr(simulations, noise)

    assert max(false_alarms("change", drawn, MIDDLE, 300, (30, 100, 300), 0.05)) <= 0.05


@pytest.mark.parametrize(("shift", "side"), [(-4, BELOW), (4, ABOVE)])
def test_a_change_is_found_and_since_when(shift: int, side: str) -> None:
    """Four deviations from line 101 on: in each log, within 14 lines in nine of ten."""
    generator = numpy.random.default_rng(1)
    values = MIDDLE + NOISE * generator.normal(size=(100, 130))
    values[:, 100:] += shift * NOISE
    test = Change(100)

    first = simulations.alarms(test, values, RATE)
    since = [test.best(log) for log in range(100)]

    assert first.min() > 100 and numpy.quantile(first, 0.9) <= 114
    assert {each for each, _ in since} == {side}
    assert numpy.median([abs(line - 101) for _, line in since]) <= 1


def test_lines_that_go_together_raise_false_alarms_and_means_of_several_do_not() -> None:
    """The limit that docs/watch.md states, and the way around it that it names."""
    each = false_alarms("change", alike(0.9), MIDDLE, 100, (500,))[0]
    of_fifty = false_alarms("change", alike(0.9), MIDDLE, 100, (500,), every=50)[0]

    assert each > 0.3
    assert of_fifty <= 0.02
