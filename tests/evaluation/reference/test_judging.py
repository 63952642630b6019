"""Verdicts on reference runs: what each rests on, and how often chance alone makes a FAIL."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from seedlock.evaluation.reference.judging import (
    EQUAL_BITS,
    EQUAL_DISTRIBUTION,
    FAIL,
    Judgement,
    Run,
    judge,
    judge_all,
)

SEEDS = range(1, 11)
VALUES = [0.955, 0.961, 0.958, 0.949, 0.963, 0.957, 0.952, 0.960, 0.956, 0.954]
EPOCHS = [4, 4, 5, 5, 4, 4, 5, 4, 5, 4]


def runs(values: Any = VALUES, epochs: Any = EPOCHS, lock: str = "old") -> dict[int, Run]:
    """Return one run per value, with traces that no other lock has."""
    return {
        seed: Run(float(value), f"{lock} {seed}", float(epoch))
        for seed, (value, epoch) in enumerate(zip(values, epochs, strict=True), 1)
    }


def moved(by: float) -> list[float]:
    """Return the values in another order, all moved."""
    return [each + by for each in reversed(VALUES)]


def test_equal_bits() -> None:
    """Equal traces, values and epochs under each seed; nothing is tested then."""
    found = judge(runs(), runs())

    assert found.verdict == EQUAL_BITS
    assert found.equal_bits == list(SEEDS)
    assert (found.p_values, found.p_epochs, found.reasons) == (1.0, 1.0, [])


@pytest.mark.parametrize(
    "change", [{"trace": "another"}, {"trace": None}, {"value": 0.9561}, {"epoch": 5.0}]
)
def test_one_seed_with_other_bits(change: dict[str, Any]) -> None:
    """It is named by its absence, and a run without a trace is equal to nothing."""
    after = runs()
    after[1] = Run(**{"value": 0.955, "trace": "old 1", "epoch": 4.0, **change})
    found = judge(runs(), after)

    assert found.verdict == EQUAL_DISTRIBUTION
    assert found.equal_bits == list(range(2, 11))


def test_no_trace_on_either_side_is_not_equal() -> None:
    """What was not traced is never called equal, though both have nothing."""
    untraced = {seed: Run(0.5) for seed in SEEDS}

    assert judge(untraced, untraced).verdict == EQUAL_DISTRIBUTION
    assert judge(untraced, untraced).equal_bits == []


def test_equal_distribution_says_what_it_could_have_seen() -> None:
    """Other bits, the same distribution: difference with interval, and the smallest loss."""
    found = judge(runs(), runs(moved(0.0005), lock="new"))

    assert found.verdict == EQUAL_DISTRIBUTION
    assert found.values is not None
    assert found.values.difference == pytest.approx(0.0005)
    assert found.values.low is not None and found.values.high is not None
    assert found.values.low < 0 < found.values.high
    assert found.smallest_loss is not None
    assert found.smallest_loss == pytest.approx(1.642 * numpy.std(VALUES, ddof=1), rel=1e-3)
    assert (found.convergence.within, found.convergence.passes) == (True, True)


@pytest.mark.parametrize(
    ("by", "direction", "word"),
    [(-0.01, "max", "worse"), (0.01, "max", "better"), (0.01, "min", "worse")],
)
def test_a_moved_mean_fails_in_either_direction(by: float, direction: str, word: str) -> None:
    """Better is another distribution too, and said to be better."""
    found = judge(runs(), runs(moved(by), lock="new"), direction)

    assert found.verdict == FAIL
    assert found.reasons[0].startswith(f"value {word} by 0.01 in the mean")


def test_slower_convergence_fails_though_mlperfs_rule_accepts_it() -> None:
    """The same accuracy three epochs later."""
    found = judge(runs(), runs(moved(0), [each + 3 for each in EPOCHS], "new"))

    assert found.verdict == FAIL
    assert found.reasons == [found.reasons[0]]
    assert found.reasons[0].startswith("epochs to the target worse by 3 in the mean")
    assert (found.convergence.passes, found.convergence.within) == (True, False)
    assert found.convergence.text == "slower than allowed"


def test_a_new_failure_fails_and_is_named() -> None:
    """Nine good runs do not outvote it."""
    after = runs()
    after[7] = Run(None, failure="exit status 1")
    found = judge(runs(), after)

    assert found.verdict == FAIL
    assert found.reasons == ["seed 7 failed, which it had not: exit status 1"]
    assert found.values is not None and found.values.n == 9


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_is_a_failure(value: float) -> None:
    """A loss that became NaN is no value to take a mean of, and not forgotten either."""
    after = runs()
    after[3] = Run(value, "old 3", 4.0)

    assert judge(runs(), after).reasons == [
        f"seed 3 failed, which it had not: its value is {value}"
    ]


def test_an_old_failure_is_not_a_new_one() -> None:
    """Under a seed that failed before too the others decide; one that works now is no fault."""
    before, after = runs(), runs(moved(0), lock="new")
    before[7] = Run(None, failure="exit status 1")

    assert judge(before, after).verdict == EQUAL_DISTRIBUTION
    after[7] = before[7]
    assert judge(before, after).verdict == EQUAL_DISTRIBUTION
    assert judge(before, before).verdict == EQUAL_DISTRIBUTION


def test_a_second_run_that_misses_the_target_fails() -> None:
    """One may count as the slowest, more make MLPerf's result invalid."""
    after = runs(moved(0), lock="new")
    after[2] = Run(0.95, "new 2", None)
    one = judge(runs(), after)
    after[3] = Run(0.95, "new 3", None)
    two = judge(runs(), after)

    assert one.verdict == EQUAL_DISTRIBUTION
    assert two.verdict == FAIL
    assert two.reasons == ["2 of 10 runs missed the target, 0 had; one may"]
    assert two.convergence.text == "2 of 10 runs missed the target; one may"


def test_runs_without_spread() -> None:
    """Equal constants are equal; another constant is another distribution, however near."""
    still = judge(runs([0.9] * 10), runs([0.9] * 10, lock="new"))
    nearly = judge(runs([0.9] * 10), runs([0.9001] * 10, lock="new"))

    assert (still.verdict, still.smallest_loss) == (EQUAL_DISTRIBUTION, 0.0)
    assert nearly.verdict == FAIL


def test_too_few_seeds_can_never_be_told_equal() -> None:
    """Three seeds could show nothing, so that they show no equality; equal bits need no test."""
    few = runs(VALUES[:3], EPOCHS[:3])
    found = judge(few, runs(VALUES[:3], EPOCHS[:3], "new"))

    assert found.verdict == FAIL
    assert found.reasons == [
        "not decidable: the smallest p of 3 seeds is 0.1, and 2 tests share 0.05"
    ]
    assert found.smallest_loss is None
    assert judge(few, few).verdict == EQUAL_BITS


def test_other_seeds_are_refused() -> None:
    """A distribution over other seeds is no answer to what these seeds gave."""
    with pytest.raises(ValueError, match=r"model has seeds \[1, 2\], its reference \[1, 2, 3\]"):
        judge(runs(VALUES[:3], EPOCHS[:3]), runs(VALUES[:2], EPOCHS[:2]))
    with pytest.raises(ValueError):
        judge({}, {})


def test_models_with_equal_bits_take_no_share_of_the_chance() -> None:
    """p values are adjusted for the models whose bits differ, and for these only."""
    pair = (runs(), runs(moved(-0.006), lock="new"), "max")
    same = (runs(), runs(), "max")
    alone = judge_all({"a": pair})["a"]
    among_equal = judge_all({"a": pair} | {str(n): same for n in range(14)})["a"]
    among_other = judge_all({"a": pair} | {str(n): (pair[0], runs(moved(0), lock="new"), "max")
                                           for n in range(14)})["a"]  # fmt: skip

    assert alone == among_equal
    assert alone.verdict == FAIL
    assert among_other.verdict == EQUAL_DISTRIBUTION
    assert among_other.p_values == pytest.approx(15 * alone.p_values)
    assert among_other.smallest_loss is not None and alone.smallest_loss is not None
    assert among_other.smallest_loss > alone.smallest_loss


MODELS, FEW = 15, 7
"""Seven seeds stand for ten: there are 3,432 ways to deal them out and not 184,756."""


def _drawn(draws: Any, kind: int, n: int) -> list[float]:
    """Return values: normal, skewed, coarse, with rare collapses, or with two humps."""
    normal = draws.standard_normal(n)
    drawn = [
        normal, numpy.exp(normal), numpy.round(normal),
        numpy.where(draws.random(n) < 0.1, -9.0, normal),
        numpy.sign(normal) + normal / 9,
    ][kind % 5]  # fmt: skip
    return [float(each) for each in drawn]


def _set(draws: Any, loss: float | None = None) -> dict[str, Judgement]:
    """Return the verdicts on 15 models, none changed; with a loss, the first has lost so many of
    the losses that are stated for it."""
    models = {}
    for number in range(MODELS):
        before, after = (_drawn(draws, 0 if loss else number, FEW) for _ in range(2))
        first, second = ([4 + (each > 0.7) for each in draws.random(FEW)] for _ in range(2))
        models[str(number)] = (runs(before, first), runs(after, second, "new"), "max")
    if loss is None:
        return judge_all(models)
    stated = judge_all(models)["0"].smallest_loss
    assert stated is not None
    reference, measured, direction = models["0"]
    worse = {seed: Run((run.value or 0.0) - loss * stated, run.trace, run.epoch)
             for seed, run in measured.items()}  # fmt: skip
    return judge_all(models | {"0": (reference, worse, direction)})


def test_chance_fails_no_more_than_one_set_in_twenty() -> None:
    """15 models, none changed, values of five kinds and epochs with many ties.

    With 400 sets: 1.
    """
    draws = numpy.random.default_rng(9)
    sets = [_set(draws) for _ in range(60)]
    failed = sum(any(each.verdict == FAIL for each in found.values()) for found in sets)

    assert failed <= 3


def test_the_stated_loss_is_found_among_fifteen_models() -> None:
    """In four of five sets, and nobody else is blamed for it in more than one of twenty.

    With 200 sets: 163, and nobody. 22 of 30 are a standard error below 24.
    """
    draws = numpy.random.default_rng(5)
    sets = [_set(draws, loss=1.0) for _ in range(30)]

    assert sum(found["0"].verdict == FAIL for found in sets) >= 22
    assert sum(any(found[str(n)].verdict == FAIL for n in range(1, MODELS)) for found in sets) <= 1


def test_the_stated_loss_of_ten_seeds_is_found() -> None:
    """One model with ten seeds, as `make reference` trains them."""
    draws = numpy.random.default_rng(1)
    found = 0
    for _ in range(30):
        before, after = (draws.standard_normal(10).tolist() for _ in range(2))
        stated = judge(runs(before), runs(after, lock="new")).smallest_loss
        assert stated is not None
        worse = [each - stated for each in after]
        found += judge(runs(before), runs(worse, lock="new")).verdict == FAIL

    assert found >= 24


@pytest.mark.parametrize("n", [520, 1100])
def test_many_hundred_seeds(n: int) -> None:
    """An exact test's smallest p is then smaller than any normal float, and at last 0."""
    rng = numpy.random.default_rng(n)
    reference, measured = (runs(rng.normal(0.9, 0.01, n), [4] * n, lock) for lock in ("old", "new"))
    found = judge(reference, measured)

    assert found.verdict == EQUAL_DISTRIBUTION
    assert found.smallest_loss is not None and found.smallest_loss > 0
