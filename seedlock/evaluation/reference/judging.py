"""Do models still come to what they came to under the lock before?

Pure: of the values, trace digests and epochs to the target of each seed it makes a verdict.

- EQUAL BITS: under each seed the same trace, value and epoch.
- EQUAL DISTRIBUTION: other bits, and neither the values nor the epochs to the target are told
  apart. Each is told apart where Welch's test and the exact permutation test both say so, as on a
  board (docs/scores.md), either direction. All models whose bits differ are one family: Holm's
  method over their tests makes it no more probable than 5 % that any equal model FAILs.
- FAIL: told apart; or a run that failed and had not before; or a second one that misses the
  target (MLPerf's rule); or so few seeds that no test could have told anything.

How much worse a model could be without being told apart is `power.smallest_loss`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from seedlock.evaluation.reference.power import smallest_loss
from seedlock.evaluation.scores import comparisons, decidability
from seedlock.evaluation.scores.convergence_points import (
    NON_CONVERGING,
    InvalidRuns,
    allowed,
    points,
)
from seedlock.evaluation.scores.ranking import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedlock.evaluation.scores.comparisons import Comparison

EQUAL_BITS, EQUAL_DISTRIBUTION, FAIL = "EQUAL BITS", "EQUAL DISTRIBUTION", "FAIL"

TESTS = 2
"""Of each model: its values, and its epochs to the target."""


@dataclass(frozen=True)
class Run:
    """How a model's run under one seed ended.

    Attributes:
        value: of the task's metric; None where the run failed. One that is no finite number is a
            failure.
        trace: digest of its trace; None where there is none, which is equal to nothing.
        epoch: the first one that reached the target; None where none did.
        failure: why it failed, None if it did not.
    """

    value: float | None
    trace: str | None = None
    epoch: float | None = None
    failure: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no value that counts."""
        return self.failure is not None or self.value is None or not math.isfinite(self.value)


@dataclass(frozen=True)
class Convergence:
    """Epochs to the target, by MLPerf's rule book and by seedlock's variant of it.

    Attributes:
        before, after: mean epochs without first and last; None where the rule takes no mean.
        passes: whether the rule book would accept it; None where it can't say.
        within: whether the variant would, which allows no slowness either; None likewise.
        text: that in half a sentence.
    """

    before: float | None
    after: float | None
    passes: bool | None
    within: bool | None
    text: str


@dataclass(frozen=True)
class Judgement:
    """What is said about one model.

    Attributes:
        verdict: EQUAL_BITS, EQUAL_DISTRIBUTION or FAIL.
        reasons: of a FAIL, one per line; empty otherwise.
        equal_bits: seeds with the same bits.
        seeds: how many were compared.
        values, epochs: comparisons, `one` being the new lock; None without two common values.
        p_values, p_epochs: after Holm's method, the larger of both tests; 1 where bits are equal.
        smallest_loss: loss in the metric's unit that so many seeds show with 80 % power, given
            the reference's spread and the number of tests; None where they show none.
        convergence: by MLPerf's rule.
    """

    verdict: str
    reasons: list[str]
    equal_bits: list[int]
    seeds: int
    values: Comparison | None
    epochs: Comparison | None
    p_values: float
    p_epochs: float
    smallest_loss: float | None
    convergence: Convergence


def judge(
    reference: Mapping[int, Run], measured: Mapping[int, Run], direction: str = "max"
) -> Judgement:
    """Return what is said about a model that is looked at alone.

    Args:
        reference, measured: runs by root seed; the seeds have to be the same.
        direction: `max` if more of the metric is better, `min` if less is.

    Raises:
        ValueError: other seeds, or none.
    """
    return judge_all({"model": (reference, measured, direction)})["model"]


def judge_all(
    models: Mapping[str, tuple[Mapping[int, Run], Mapping[int, Run], str]],
    alpha: float = decidability.ALPHA,
) -> dict[str, Judgement]:
    """Return what is said about each of several models, which share one chance of a false alarm.

    Args:
        models: by name what `judge` takes.
        alpha: how probable it may be that any model FAILs by a test although none has changed.

    Raises:
        ValueError: a model has other seeds than its reference, or none.
    """
    for name, (reference, measured, _) in models.items():
        if not reference or set(reference) != set(measured):
            raise ValueError(
                f"{name} has seeds {sorted(measured)}, its reference {sorted(reference)}"
            )
    equal = {
        name: [seed for seed in sorted(before) if same_bits(before[seed], after[seed])]
        for name, (before, after, _) in models.items()
    }
    other = [name for name, (before, _, _) in models.items() if len(equal[name]) < len(before)]
    compared = {
        name: (_of_values(*models[name][:2], models[name][2]), _of_epochs(*models[name][:2]))
        for name in models
    }
    raw = [_p(each) for name in other for each in compared[name]]
    adjusted = iter(holm(numpy.array(raw)).tolist() if raw else [])
    p = {name: (next(adjusted), next(adjusted)) for name in other}
    tests = max(1, TESTS * len(other))
    return {
        name: _judged(
            reference, measured, direction, equal[name], compared[name],
            p.get(name, (1.0, 1.0)), alpha, tests,
        )
        for name, (reference, measured, direction) in models.items()
    }  # fmt: skip


def same_bits(one: Run, other: Run) -> bool:
    """Return whether two runs did the same: equal traces, and what they came to with them."""
    if one.failed or other.failed or one.trace is None:
        return False
    return (one.trace, one.value, one.epoch) == (other.trace, other.value, other.epoch)


def _judged(
    reference: Mapping[int, Run], measured: Mapping[int, Run], direction: str,
    equal: list[int], compared: tuple[Comparison, Comparison], p: tuple[float, float],
    alpha: float, tests: int,
) -> Judgement:  # fmt: skip
    values, epochs = compared
    before = [float(each.value or 0) for each in reference.values() if not each.failed]
    n = values.n
    level = _reachable(alpha / tests, decidability.smallest_p(n))
    can_tell = n > 1 and level > 0
    loss = smallest_loss(before, n, level) if can_tell else None
    convergence = _convergence(reference, measured)
    all_equal = len(equal) == len(reference)
    reasons = [] if all_equal else [
        *_new_failures(reference, measured),
        *_missed(reference, measured),
        *_told_apart("value", values, p[0], alpha, direction),
        *_told_apart("epochs to the target", epochs, p[1], alpha, "min"),
        *([] if can_tell else [_undecidable(n, tests, alpha)]),
    ]  # fmt: skip
    verdict = EQUAL_BITS if all_equal else FAIL if reasons else EQUAL_DISTRIBUTION
    return Judgement(
        verdict, reasons, equal, len(reference), values, epochs, *p, loss, convergence
    )  # fmt: skip


def _reachable(level: float, step: float) -> float:
    """Return the largest p up to a level that an exact test can come to, which has no p between the
    steps that its number of ways allows; of many hundred seeds these are finer than any float."""
    steps = level / step if step else math.inf
    return math.floor(steps) * step if math.isfinite(steps) else level


def _of_values(
    reference: Mapping[int, Run], measured: Mapping[int, Run], direction: str
) -> Comparison:
    seeds = sorted(reference)
    one, other = (
        [None if runs[seed].failed else runs[seed].value for seed in seeds]
        for runs in (measured, reference)
    )
    return comparisons.compare(one, other, direction)


def _of_epochs(reference: Mapping[int, Run], measured: Mapping[int, Run]) -> Comparison:
    """Compare epochs; who misses the target counts as slower than any that reached it."""
    seen = [run.epoch for runs in (reference, measured) for run in runs.values()]
    missed = 1 + max((each for each in seen if each is not None), default=0.0)
    one, other = (
        [None if run.failed else missed if run.epoch is None else run.epoch
         for _, run in sorted(runs.items())]
        for runs in (measured, reference)
    )  # fmt: skip
    return comparisons.compare(one, other, "min")


def _p(found: Comparison) -> float:
    """Return the larger p of both tests: nothing is told apart that one of them does not see."""
    if found.primary is None or found.permutation is None:
        return 1.0
    return max(found.primary.p, found.permutation.p)


def _new_failures(reference: Mapping[int, Run], measured: Mapping[int, Run]) -> list[str]:
    new = [seed for seed, run in sorted(measured.items()) if run.failed > reference[seed].failed]
    return [
        f"seed {seed} failed, which it had not: "
        f"{measured[seed].failure or 'its value is ' + str(measured[seed].value)}"
        for seed in new
    ]


def _missed(reference: Mapping[int, Run], measured: Mapping[int, Run]) -> list[str]:
    before, after = (
        sum(not run.failed and run.epoch is None for run in runs.values())
        for runs in (reference, measured)
    )
    if after <= max(before, NON_CONVERGING):
        return []
    return [f"{after} of {len(measured)} runs missed the target, {before} had; one may"]


def _told_apart(what: str, found: Comparison, p: float, alpha: float, direction: str) -> list[str]:
    if p > alpha or found.difference is None:
        return []
    better = (found.difference > 0) == (direction == "max")
    return [
        f"{what} {'better' if better else 'worse'} by {abs(found.difference):.4g} in the mean, "
        f"p = {p:.2g} after Holm's method"
    ]


def _undecidable(n: int, tests: int, alpha: float) -> str:
    return (
        f"not decidable: the smallest p of {n} seeds is {decidability.smallest_p(n):.3g}, and "
        f"{tests} tests share {alpha:g}"
    )


def _convergence(reference: Mapping[int, Run], measured: Mapping[int, Run]) -> Convergence:
    try:
        before = points(_epochs(reference))
        after = points(_epochs(measured))
        book = allowed(before, after.n)
        ours = allowed(before, after.n, two_sided=True)
    except InvalidRuns as reason:
        return Convergence(None, None, None, None, str(reason))
    within = ours.holds(after.mean)
    text = (
        "within" if within else "slower than allowed" if after.mean > before.mean
        else "faster than allowed"
    )  # fmt: skip
    return Convergence(before.mean, after.mean, book.holds(after.mean), within, text)


def _epochs(runs: Mapping[int, Run]) -> Sequence[float | None]:
    """Return epochs to the target; a failed run has none either."""
    return [None if run.failed else run.epoch for run in runs.values()]
