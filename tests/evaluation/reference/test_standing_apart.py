"""What stands apart is said; why it decides nothing is computed."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from seedlock.evaluation.reference import stored
from seedlock.evaluation.reference.judging import Run
from seedlock.evaluation.reference.standing_apart import remarks
from tests.interpreter import REPOSITORY

VALUES = [0.95, 0.96, 0.97, 0.955, 0.965]

SEEDS = 10


def runs(values: list[Any], epochs: list[Any] | None = None) -> dict[int, Run]:
    """Return one run per value, which reached its target in the first epoch if nothing else is
    said."""
    epochs = epochs or [1.0] * len(values)
    return {
        seed: Run(value, f"{seed} {value}", epoch, None if value is not None else "exit status 1")
        for seed, (value, epoch) in enumerate(zip(values, epochs, strict=True), 1)
    }


@pytest.mark.parametrize(
    ("direction", "sign", "span"), [("max", 1, "0.95 to 0.97"), ("min", -1, "-0.97 to -0.95")]
)
def test_a_collapsed_run_is_named(direction: str, sign: int, span: str) -> None:
    """In the direction that is worse, whether it had reached its target before or not."""
    before = [sign * each for each in VALUES]
    after = [*before[:3], sign * 0.1, before[4]]
    told = f"seed 4 stands apart: it came to {sign * 0.1:.4g}, the stored runs to {span}"

    assert remarks(runs(before), runs(after), direction) == [told]
    assert remarks(runs(before), runs(after, [1.0] * 3 + [None, 1.0]), direction) == [
        told, "1 of 5 runs missed the target, 0 had",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "after",
    [VALUES, [each - 0.015 for each in VALUES], [2.0, *VALUES[1:]], [None, *VALUES[1:]]],
    ids=["the same", "within the range", "better", "failed"],
)
def test_what_does_not_stand_apart(after: list[Any]) -> None:
    """What is as it was, near it, better, or said elsewhere."""
    assert remarks(runs(VALUES), runs(after), "max") == []


def test_nothing_stored_shows_nothing() -> None:
    """Without a value there is nothing to stand apart from; equal values have no range."""
    assert remarks(runs([None] * 5), runs(VALUES), "max") == []
    assert len(remarks(runs([1.0] * 5), runs([1.0, 1.0, 0.999, 1.0, 1.0]), "max")) == 1


@pytest.mark.parametrize(("collapsed", "worst"), [(1, 0.250), (2, 0.095), (3, 0.036)])
def test_a_rule_for_collapsed_runs_would_be_wrong_so_often(collapsed: int, worst: float) -> None:
    """FAIL for so many collapsed runs of ten where the ten stored ones have none: how often, at
    most, of a model that has not changed."""
    from scipy import stats

    chances = numpy.linspace(0, 1, 10_001)
    wrong = stats.binom.pmf(0, SEEDS, chances) * stats.binom.sf(collapsed - 1, SEEDS, chances)

    assert wrong.max() == pytest.approx(worst, abs=5e-4)


def test_the_normal_distribution_does_not_bound_what_is_stored() -> None:
    """Held against the nine others of its model, one of the 150 stored runs lies beyond a bound
    that any of them would pass with 5 %: a bound that such a rule could rest on."""
    from scipy import stats

    content = stored.read(REPOSITORY / "version-lock" / "reference" / "cpu")
    beyond = []
    for name, model in content["models"].items():
        values = numpy.array([run["metric"] for run in model["runs"]])
        sign = -1 if model["direction"] == "min" else 1
        for place, value in enumerate(values):
            others = numpy.delete(values, place)
            error = others.std(ddof=1) * numpy.sqrt(1 + 1 / len(others))
            if stats.t.cdf(sign * (value - others.mean()) / error, len(others) - 1) < 0.05 / 150:
                beyond.append((name, place + 1, round(float(value), 1)))

    assert ("jax-control", 9, 169.0) in beyond
