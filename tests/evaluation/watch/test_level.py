"""Is a level outside an interval? The bound on false alarms, exactly and by simulation."""

from __future__ import annotations

import itertools
import math

import numpy
import pytest

from seedlock.evaluation.watch.level import BELOW, STEPS, Level, threshold
from tests.evaluation.watch import simulations
from tests.evaluation.watch.simulations import HIGH, LOW, MIDDLE, NOISE, false_alarms

FREE, RANGED = "level", "level, with a range"


@pytest.mark.parametrize("chance", [0.25, 0.5])
def test_with_a_range_evidence_has_a_mean_of_one_at_most(chance: float) -> None:
    """Over all sequences of right and wrong whose mean is just inside: no luck is left out."""
    lines = 8
    logs = numpy.array(list(itertools.product((0.0, 1.0), repeat=lines)))
    weights = chance ** logs.sum(axis=1) * (1 - chance) ** (lines - logs.sum(axis=1))
    test = Level(chance, 0.75, (0.0, 1.0), len(logs))

    means = [float((numpy.exp(test.add(logs[:, line])) * weights).sum()) for line in range(lines)]

    assert all(0.5 < each <= 1 + 1e-12 for each in means)


@pytest.mark.parametrize("bounds", [None, (-4.0, 4.0)], ids=["free", "with a range"])
def test_of_three_values_evidence_has_a_mean_of_one_at_most(
    bounds: tuple[float, float] | None,
) -> None:
    """Spread symmetrically around the end of the interval; further inside it is less."""
    found = []
    for shift in (0.0, 0.5, 2.0):
        logs = shift + numpy.array(list(itertools.product((-2.0, 0.0, 2.0), repeat=6)))
        test = Level(0.0, 5.0, bounds, len(logs))
        found += [float(numpy.exp(test.add(logs[:, line])).mean()) for line in range(6)]

    assert all(0 < each <= 1 + 1e-12 for each in found)
    assert found[11] < found[5] and found[17] < found[5]


def test_the_bet_without_a_range_gains_nothing_inside() -> None:
    """What the module's text proves, looked at: for any spread and any distance from the end."""
    spread, inside = numpy.meshgrid(numpy.linspace(0, 30, 1201), numpy.linspace(0, 30, 601))
    for step in STEPS:
        x = numpy.stack([-inside + spread, -inside - spread]) * step
        mean = numpy.exp(x - x * x / 2).mean(axis=0)

        assert mean.max() <= 1 + 1e-12


@pytest.mark.parametrize("name", [FREE, RANGED])
@pytest.mark.parametrize("noise", ["normal", "heavy", "skewed"])
def test_false_alarms_are_no_more_than_was_said(name: str, noise: str) -> None:
    """At the very end of the interval, where they are most; at lines 30, 100 and 300."""
    logs, rate = 300, 0.05
    drawn = getattr(simulations, noise)
    for level in (LOW, HIGH):
        shares = false_alarms(name, drawn, level, logs, (30, 100, 300), rate)

        assert max(shares) <= rate


def test_in_the_middle_there_are_none() -> None:
    """Also at a rate that would let one in five logs have one."""
    for name in (FREE, RANGED):
        assert false_alarms(name, simulations.normal, MIDDLE, 200, (300,), 0.2) == [0.0]


def test_a_level_outside_is_found_and_since_when() -> None:
    """A drop of four deviations at line 101: in each log, with a delay as docs/watch.md says."""
    generator = numpy.random.default_rng(1)
    values = MIDDLE + NOISE * generator.normal(size=(100, 200))
    values[:, 100:] -= 4 * NOISE
    for bounds in (None, (0.0, 1.0)):
        test = Level(LOW, HIGH, bounds, 100)
        first = simulations.alarms(test, values, simulations.RATE)
        since = [test.best(log) for log in range(100)]

        assert first.min() > 100 and numpy.quantile(first, 0.9) <= 150
        assert {side for side, _ in since} == {BELOW}
        assert numpy.median([abs(line - 101) for _, line in since]) <= 2


def test_a_range_that_ends_inside_the_interval_can_not_be_passed() -> None:
    """An interval of 0.9 to 1.05 of a share: nothing is above it, and nothing is bet on that."""
    test = Level(0.9, 1.05, (0.0, 1.0))

    for _ in range(200):
        evidence = float(test.add(numpy.array([1.0]))[0])

    assert evidence < 0


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 0.0])
def test_numbers_as_large_as_they_come(value: float) -> None:
    """No overflow, no NaN."""
    test = Level(-1.0, 1.0)

    with numpy.errstate(all="raise", under="ignore"):
        found = [float(test.add(numpy.array([value]))[0]) for _ in range(50)]

    assert not any(math.isnan(each) for each in found)
    assert (found[-1] > threshold(0.005)) == (abs(value) > 1)
