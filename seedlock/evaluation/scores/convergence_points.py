"""Reference convergence points: after how many epochs a model reaches its target, and may it be so?

MLPerf Training's rule book (github.com/mlcommons/training_policies, training_rules.adoc, sections
"Benchmark Results", "Reference Convergence Points" and "Appendix: RCP Examples", read at commit
decaf38) refuses a submission that converges faster than its reference by more than chance allows.
Here it is as the text states it. MLPerf's own checker (github.com/mlcommons/logging,
rcp_checker.py, read at 7bbf792) takes the standard deviation of all runs, those included that the
text excludes, and so allows more: 6.56 % in the text's first example where the text has 3.53 %.

The text's steps: sort the epochs, drop the first and the last; mean and standard deviation are of
what is left, the latter with n below the line (ddof 0: no other gives the numbers of the text). A
submission's mean, of its own runs without first and last, may be no less than

    least = mean - t(0.95, n + m - 2) * sd * sqrt(1/n + 1/m)

with n and m the runs that are left of reference and submission. `mean / least - 1` is what the
text calls the maximum speed-up. Its example S3, at a batch size between two that were measured,
has 3.68 %: that is the same formula with all ten reference runs for n, where both other examples
have eight (with eight it is 3.87 %). S3 passes either way. MLPerf's exception for one benchmark,
40 runs without four on each side, is not here.

Slower convergence is nobody's advantage in MLPerf, and what a bad lock does. `allowed` with
`two_sided` is seedlock's variant for it and not MLPerf's.

Both formulas promise more than they hold: sd is that of the middle runs, which is smaller than
that of all, and 0 as soon as these agree (docs/lock-page.md has how often they refuse equal runs).
So they are shown, and `reference.judging` decides by an exact test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.evaluation.scores import summaries

if TYPE_CHECKING:
    from collections.abc import Sequence

P_VALUE = 0.05
"""The rule book's."""

FEWEST = 3
"""Runs of which one is left when first and last are dropped."""

NON_CONVERGING = 1
"""How many runs may miss the target: "a single non-converging run may be treated as the slowest
run and dropped. A benchmark result is invalid if there is more than one" ("Benchmark Results")."""


class InvalidRuns(ValueError):
    """No mean can be taken of these runs; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Points:
    """Convergence points without the first and the last.

    Attributes:
        mean: epochs until the target, of the runs that are left.
        sd: their population standard deviation (ddof 0).
        n: how many are left.
    """

    mean: float
    sd: float
    n: int


@dataclass(frozen=True)
class Allowed:
    """Between which means another set of runs has to lie.

    Attributes:
        least: in epochs; below it, it converges too fast.
        most: above it, it converges too slowly; None by the rule book, which has no such bound.
        speed_up: share by which it may converge faster, 0.0353 for 3.53 %; None where the least
            mean is not above zero.
    """

    least: float
    most: float | None
    speed_up: float | None

    def holds(self, mean: float) -> bool:
        """Return whether a mean is within the bounds, which are allowed themselves."""
        return self.least <= mean and (self.most is None or mean <= self.most)


def points(epochs: Sequence[float | None]) -> Points:
    """Return the convergence points of some runs, first and last left out.

    Args:
        epochs: until the target, one per run, in any order and unit; None where a run did not get
            there, of which one counts as the slowest.

    Raises:
        InvalidRuns: fewer than three runs, or more than one that did not get there.
    """
    reached = sorted(float(each) for each in epochs if each is not None)
    missed = len(epochs) - len(reached)
    if missed > NON_CONVERGING:
        raise InvalidRuns(f"{missed} of {len(epochs)} runs missed the target; one may")
    if len(epochs) < FEWEST:
        raise InvalidRuns(f"there are {len(epochs)} runs; three are the fewest")
    left = reached[1:] if missed else reached[1:-1]
    n = len(left)
    sd = summaries.deviation(left) * math.sqrt((n - 1) / n) if n > 1 else 0.0
    return Points(summaries.mean(left), sd, n)


def allowed(reference: Points, n: int, two_sided: bool = False, p: float = P_VALUE) -> Allowed:
    """Return between which means a set of runs has to lie.

    Args:
        reference: of the runs to compare with.
        n: runs of the other set, after dropping.
        two_sided: seedlock's variant: slower is as wrong as faster, each by half of p.
        p: how probable a refusal of equal runs is meant to be.

    Raises:
        InvalidRuns: too few runs to say it: no degree of freedom.
    """
    freedom = reference.n + n - 2
    if freedom < 1 or n < 1:
        raise InvalidRuns(f"{reference.n} and {n} runs are too few for a t-test")
    from scipy import stats

    quantile = float(stats.t.ppf(1 - (p / 2 if two_sided else p), freedom))
    half = quantile * reference.sd * math.sqrt(1 / reference.n + 1 / n)
    least = reference.mean - half
    speed_up = reference.mean / least - 1 if least > 0 else None
    return Allowed(least, reference.mean + half if two_sided else None, speed_up)
