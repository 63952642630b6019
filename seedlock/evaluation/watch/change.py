"""Has a log changed within itself? A test by ranks that may be looked at after every line.

As long as the lines are exchangeable, as independent ones of one model on one stream of data are,
the rank of each among those before it is uniform and independent of the earlier ranks, whatever
their distribution. Share of lines so far that are at most this one: p. Bets of k p^(k - 1), k < 1,
win when p is small again and again. Vovk, Nouretdinov and Gammerman, "Testing exchangeability
on-line", ICML 2003; Fedorova, Gammerman, Nouretdinov and Vovk, "Plug-in martingales for testing
exchangeability on-line", ICML 2012. Equal values all count as "at most", which makes p larger and
the bet smaller: no chance is thrown for them, and the bound holds still.
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

    def add(self, values: NDArray[Any]) -> NDArray[Any]:
        """Take the next value of each log and return the logarithm of its evidence."""
        shares = numpy.array(
            [_shares(seen, float(value)) for seen, value in zip(self._seen, values, strict=True)]
        )
        factors = numpy.log(POWERS) + (POWERS - 1) * numpy.log(shares)[:, :, None]
        return self.evidence.add(factors.reshape(len(values), -1))

    def best(self, log: int = 0) -> tuple[str, int]:
        """Return to which side it changed, and the line from which on, counted from 1."""
        bet, since = self.evidence.best(log)
        return BELOW if bet < len(POWERS) else ABOVE, since


def _shares(seen: list[float], value: float) -> tuple[float, float]:
    """Add a value; return the shares that are at most and at least it, itself included."""
    insort(seen, value)
    return (
        bisect_right(seen, value) / len(seen),
        (len(seen) - bisect_left(seen, value)) / len(seen),
    )
