"""Has a log changed within itself? A test by ranks that may be looked at after every line.

As long as the lines are exchangeable, as independent ones of one model on one stream of data are,
the rank r of line t among the lines so far is any of 1 to t alike, and independent of the earlier
ranks, whatever their distribution. Bets of r^(k - 1) with k < 1, divided by their mean over these
ranks, win when ranks are small again and again. Vovk, Nouretdinov and Gammerman, "Testing
exchangeability on-line", ICML 2003; Fedorova, Gammerman, Nouretdinov and Vovk, "Plug-in martingales
for testing exchangeability on-line", ICML 2012. Of equal values each has the largest of their
ranks, which makes the bet smaller: no chance is thrown for them, and the bound holds still.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.watch.evidence import Evidence
from seedlock.evaluation.watch.level import ABOVE, BELOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

POWERS = numpy.array([0.1, 0.2, 0.35, 0.5, 0.7])


class Change:
    """Evidence that a log changed from some line on.

    Args:
        logs: how many logs are watched side by side.
    """

    def __init__(self, logs: int = 1) -> None:
        self.evidence = Evidence(2 * len(POWERS), logs)
        self._seen: list[list[float]] = [[] for _ in range(logs)]
        self._sums = numpy.zeros(len(POWERS))

    def add(self, values: NDArray[Any]) -> NDArray[Any]:
        """Take the next value of each log and return the logarithm of its evidence."""
        ranks = numpy.array(
            [_ranks(seen, float(value)) for seen, value in zip(self._seen, values, strict=True)]
        )
        line = self.evidence.lines + 1
        self._sums = self._sums + float(line) ** (POWERS - 1)
        factors = (POWERS - 1) * numpy.log(ranks)[:, :, None] - numpy.log(self._sums / line)
        return self.evidence.add(factors.reshape(len(values), -1))

    def best(self, log: int = 0) -> tuple[str, int]:
        """Return to which side it changed, and the line from which on, counted from 1."""
        bet, since = self.evidence.best(log)
        return BELOW if bet < len(POWERS) else ABOVE, since


def _ranks(seen: list[float], value: float) -> tuple[int, int]:
    """Add a value; return how many are at most and at least it, itself included."""
    insort(seen, value)
    return bisect_right(seen, value), len(seen) - bisect_left(seen, value)
