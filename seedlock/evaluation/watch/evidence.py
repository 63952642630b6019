"""Evidence that something began at an unknown line, which may be looked at after every line.

For each start j a product of bets on the lines from j on, each bet with a mean of at most 1 as
long as nothing is wrong. Weighted over all starts, and averaged over several kinds of bets, that is
a non-negative supermartingale that begins at 1: Ville's inequality bounds the chance that it ever
reaches 1 / rate by `rate`, however long one watches. Howard, Ramdas, McAuliffe and Sekhon,
"Time-uniform Chernoff bounds via nonnegative supermartingales", Probability Surveys 17 (2020), have
the inequality; mixtures over starts are those of Shin, Ramdas and Rinaldo, "E-detectors: a
nonparametric framework for sequential change detection", NEJSDS 2 (2024), here with weights that
sum to 1, which bounds the chance of a false alarm ever and not only how often they come.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

HUGE = 690.0
"""Logarithm of the largest evidence that is shown as a number."""


class Evidence:
    """Bets on lines, mixed over the line from which on they are made.

    A start j has the weight 1 / (j (j + 1)); those that are still to come sum to 1 / (t + 1).

    Args:
        bets: number of kinds of bets, which share the weight equally.
        logs: how many logs are watched side by side, as in a simulation; each has its own row.
    """

    def __init__(self, bets: int, logs: int = 1) -> None:
        self.lines = 0
        self._held: NDArray[Any] = numpy.full((logs, bets), -numpy.inf)
        self._sum = numpy.zeros((logs, bets))
        self._least = numpy.full((logs, bets), numpy.inf)
        self._since: NDArray[Any] = numpy.ones((logs, bets), dtype=int)

    def add(self, factors: NDArray[Any]) -> NDArray[Any]:
        """Take a line's bets and return the logarithm of the evidence of each log.

        Args:
            factors: logarithms of what each bet came to, one row per log; -inf where all is lost.
        """
        self.lines += 1
        weight = -math.log(self.lines) - math.log(self.lines + 1)
        self._held = numpy.logaddexp(self._held, weight) + factors
        lower = self._sum < self._least
        self._since[lower] = self.lines
        self._least = numpy.minimum(self._least, self._sum)
        self._sum = self._sum + numpy.maximum(factors, -HUGE)
        to_come = -math.log(self.lines + 1)
        mixed = numpy.logaddexp.reduce(self._held, axis=1) - math.log(self._held.shape[1])
        return numpy.asarray(numpy.logaddexp(mixed, to_come))

    def best(self, log: int = 0) -> tuple[int, int]:
        """Return the kind of bet that has won most in a log, and the line from which on it did.

        The line, from 1, is where the sum of the logarithms was least: the estimate of Page's
        CUSUM, Biometrika 41 (1954). It says where to look, not how sure that is.
        """
        bet = int(numpy.argmax(self._held[log]))
        return bet, int(self._since[log, bet])


def number(logarithm: float) -> float:
    """Return evidence from its logarithm, at most what a float holds."""
    return math.exp(min(logarithm, HUGE))
