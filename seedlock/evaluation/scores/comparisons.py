"""Two submissions side by side, on the seeds that they have in common.

Welch's t-test is the primary one. Beside it stands the exact permutation test, which asks for no
normal distribution. Differences under one seed are looked at only where the policy says that the
runs under a seed belong together. None of the p values here is corrected for the number of pairs
on a board: `ranking` does that.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.scores import decidability, pairwise, summaries
from seedlock.evaluation.scores.permutation import Result, permutation

if TYPE_CHECKING:
    from collections.abc import Sequence

TINY = 1e-12
"""Below any probability that counts."""

MEANINGFUL = 0.75
"""Least probability of improvement that is called better, beside an interval above one half:
Bouthillier et al., "Accounting for variance in machine learning benchmarks", MLSys 2021."""


@dataclass(frozen=True)
class Improvement:
    """How probable it is that a run of the first is better than a run of the second.

    Attributes:
        probability: share of pairs of runs in which it is; equal ones count half.
        low, high: 95 % interval; None for fewer than four runs of either, of which none covers as
            often as it says.
        u: the Mann-Whitney statistic.
        meaningful: whether low is above 0.5 and the probability no less than 0.75.
    """

    probability: float
    low: float | None
    high: float | None
    u: float
    meaningful: bool


@dataclass(frozen=True)
class Comparison:
    """Two submissions in one metric.

    Attributes:
        n: seeds that they have in common.
        seeds: their indices.
        difference: mean of the first less mean of the second, in the metric's unit; None without a
            common seed, or where no float holds it.
        low, high: 95 % t interval of the difference, by the primary test; None without one, or
            where no float holds it.
        primary, permutation: Welch's and the permutation test; of the differences if paired.
        improvement: of the first over the second; None for fewer than two seeds.
        decidable: whether so many seeds can show a difference.
        why: that in a sentence.
    """

    n: int
    seeds: list[int]
    difference: float | None
    low: float | None
    high: float | None
    primary: Result | None
    permutation: Result | None
    improvement: Improvement | None
    decidable: bool
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready."""
        return asdict(self)


def compare(
    one: Sequence[float | None],
    other: Sequence[float | None],
    direction: str = "max",
    paired: bool = False,
    alpha: float = decidability.ALPHA,
) -> Comparison:
    """Compare two submissions by the values that counted, per seed index.

    Args:
        one, other: `counted_by_seed` of the standings; None where there is no value.
        direction: of the metric; `improvement` goes by it, `difference` does not.
        paired: whether the runs under one seed belong together.
        alpha: level at which a difference has to be within reach.

    Raises:
        ValueError: a value is NaN or infinite, or the numbers of seeds differ.
    """
    both = [
        (index, float(mine), float(theirs))
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True))
        if mine is not None and theirs is not None
    ]
    if not all(math.isfinite(each) for _, *pair in both for each in pair):
        raise ValueError("a value is no finite number")
    n = len(both)
    seeds = [index for index, _, _ in both]
    why = decidability.why(n, paired, alpha)
    able = decidability.decidable(n, paired, alpha)
    if n == 0:
        return Comparison(0, [], None, None, None, None, None, None, able, why)
    factor = pairwise.shrink(max(abs(each) for _, *pair in both for each in pair))
    a, b = [each[1] * factor for each in both], [each[2] * factor for each in both]
    found = pairwise.all_pairs(numpy.array([a, b]), paired)
    between = float(found.difference[0, 1])
    difference = _held(between / factor)
    if n == 1:
        return Comparison(1, seeds, difference, None, None, None, None, None, able, why)
    primary, half = _primary(a, b, float(found.p[0, 1]), paired)
    low, high = (
        (None, None) if half is None
        else (_held((between - half) / factor), _held((between + half) / factor))
    )  # fmt: skip
    if low is None or high is None:
        low = high = None
    sign = 1 if direction == "max" else -1
    return Comparison(
        n, seeds, difference, low, high, primary, permutation(a, b, paired),
        improvement([sign * each for each in a], [sign * each for each in b]), able, why,
    )  # fmt: skip


def _primary(
    a: list[float], b: list[float], p: float, paired: bool
) -> tuple[Result, float | None]:  # fmt: skip
    """Return the t-test with half the width of the difference's interval, None where there is no
    spread to make one of."""
    from scipy import stats  # takes longer than the start of a server without it

    n = len(a)
    name = "paired t" if paired else "Welch t"
    apart = [x - y for x, y in zip(a, b, strict=True)]
    errors = [summaries.deviation(each) / math.sqrt(n) for each in ([apart] if paired else [a, b])]
    error = math.hypot(*errors)
    if error == 0:
        return Result(f"{name}: nothing varies, so by permutation", p), None
    freedom = float(n - 1) if paired else (n - 1) / sum((each / error) ** 4 for each in errors)
    difference = summaries.mean(a) - summaries.mean(b)
    statistic = _held((summaries.mean(apart) if paired else difference) / error)
    half = float(stats.t.ppf((1 + summaries.CONFIDENCE) / 2, freedom)) * error
    return Result(name, p, statistic, freedom), half


def _held(value: float) -> float | None:
    return value if math.isfinite(value) else None


def improvement(a: Sequence[float], b: Sequence[float]) -> Improvement:
    """Return the probability that a value of `a` is larger than one of `b`, with its interval.

    The estimate is Mann-Whitney's U over n times m. The interval is method 5 of Newcombe,
    "Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2",
    Statistics in Medicine 25 (2006): the probabilities whose distance from the estimate is no
    more than 1.96 of their own standard errors, by Hanley and McNeil's variance with (n + m) / 2 -
    1 for both n - 1 and m - 1. It stays within 0 and 1 and has a width where all runs of one beat
    all of the other. Its coverage is simulated in tests/evaluation/scores/test_comparisons.py.
    """
    from scipy import optimize, stats

    n, m = len(a), len(b)
    u = float(stats.mannwhitneyu(a, b, method="asymptotic").statistic)
    estimate = u / (n * m)
    if not decidability.decidable(min(n, m)):
        return Improvement(estimate, None, None, u, meaningful=False)
    z = float(stats.norm.ppf((1 + summaries.CONFIDENCE) / 2))

    def outside(theta: float) -> float:
        return (estimate - theta) ** 2 - z**2 * variance(theta, n, m)

    # 0 and 1 are roots of their own where they are the estimate; the other one is asked for.
    below, above = min(estimate, 1 - TINY), max(estimate, TINY)
    low = 0.0 if estimate == 0 else float(optimize.brentq(outside, 0.0, below))
    high = 1.0 if estimate == 1 else float(optimize.brentq(outside, above, 1.0))
    meaningful = low > 0.5 and estimate >= MEANINGFUL
    return Improvement(estimate, low, high, u, meaningful)


def variance(theta: float, n: int, m: int) -> float:
    """Return the variance of U / (n m) where the probability is `theta`, as method 5 has it."""
    free = (n + m) / 2 - 1
    shape = 1 + free * (1 - theta) / (2 - theta) + free * theta / (1 + theta)
    return theta * (1 - theta) * shape / (n * m)
