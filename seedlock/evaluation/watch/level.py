"""Is the level of a log outside an interval? A test that may be looked at after every line.

Nothing is wrong as long as what a line is expected to be, given those before it, lies inside. The
bets on the lines say otherwise. Two kinds, by what is known of the values:

With a range, as 0 to 1 for a share of right answers, a bet on "below `low`" multiplies by
1 + c (low - value) with a c so small that it stays above 0: its mean is at most 1 for every
distribution within the range whose mean is not below `low`. Waudby-Smith and Ramdas, "Estimating
means of bounded random variables by betting", JRSS B 86 (2024).

Without one it multiplies by exp(c x - c^2 x^2 / 2) with x = low - value: the mean is at most 1
where values are spread symmetrically around a level that is not below `low`, whatever their spread
and their tails. De la Pena, "A general class of exponential inequalities for martingales and
ratios", Annals of Probability 27 (1999), has it for the level `low` itself. A level further inside
only lowers it: for values at level + a and level - a the mean is sqrt(e)/2 (f(a - d) + f(a + d))
with f(z) = exp(-z^2/2) in units of 1/c and d = 1 + c (level - low) >= 1, whose maximum over `a`
falls as d grows, from 1 at d = 1. The scale of c is that of the lines before, never of the line
itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.watch.evidence import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = numpy.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
"""Of the largest c with which a bet in a range can't be lost altogether."""

STEPS = numpy.array([0.1, 0.2, 0.4, 0.8, 1.2])
"""c in units of 1 over the root mean square of the distances before."""

FARTHEST = 1e140
"""Distances beyond it count as it: their squares would be beyond what a float holds."""

BELOW, ABOVE = "below", "above"


class Level:
    """Evidence that the level of a log is outside an interval.

    Args:
        low, high: the interval.
        bounds: least and largest value that a line can have, or None where nobody knows.
        logs: how many logs are watched side by side.
    """

    def __init__(
        self, low: float, high: float, bounds: tuple[float, float] | None = None, logs: int = 1
    ) -> None:
        self.low, self.high, self.bounds = low, high, bounds
        self._bets = len(SHARES if bounds else STEPS)
        self.evidence = Evidence(2 * self._bets, logs)
        self._squares = numpy.zeros((logs, 2))

    def add(self, values: NDArray[Any]) -> NDArray[Any]:
        """Take the next value of each log and return the logarithm of its evidence."""
        apart = numpy.stack([self.low - values, values - self.high], axis=1)
        factors = self._free(apart) if self.bounds is None else self._within(apart, self.bounds)
        return self.evidence.add(factors.reshape(len(values), -1))

    def best(self, log: int = 0) -> tuple[str, int]:
        """Return on which side most speaks for it, and from which line on, counted from 1."""
        bet, since = self.evidence.best(log)
        return BELOW if bet < self._bets else ABOVE, since

    def _within(self, apart: NDArray[Any], bounds: tuple[float, float]) -> NDArray[Any]:
        # What a bet loses most: on "below" at the upper bound, on "above" at the lower one. A
        # bound inside the interval can't be passed: nothing to bet on.
        most = numpy.array([bounds[1] - self.low, self.high - bounds[0]])
        largest = numpy.where(most > 0, 1 / numpy.where(most > 0, most, 1), 0.0)
        open_ = numpy.array([self.low > bounds[0], self.high < bounds[1]])
        stake = SHARES * (largest * open_)[:, None]
        return numpy.asarray(numpy.log1p(numpy.maximum(stake * apart[:, :, None], -1 + 1e-12)))

    def _free(self, apart: NDArray[Any]) -> NDArray[Any]:
        apart = numpy.clip(apart, -FARTHEST, FARTHEST)
        before = self.evidence.lines
        # The first line has nothing before it to be measured by.
        scale = numpy.sqrt(self._squares / before) if before else numpy.zeros_like(apart)
        self._squares = self._squares + apart * apart
        known = scale > 0
        measured = numpy.where(known, apart / numpy.where(known, scale, 1), 0.0)[:, :, None] * STEPS
        measured = numpy.clip(measured, -FARTHEST, FARTHEST)
        return numpy.asarray(measured - measured * measured / 2)


def threshold(rate: float) -> float:
    """Return the logarithm of the evidence that is reached by chance with probability `rate`."""
    return -math.log(rate)
