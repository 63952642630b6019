"""One log against one expectation: both tests, what is known of the log, and the verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.scores.summaries import mean, summary
from seedlock.evaluation.watch.change import Change
from seedlock.evaluation.watch.evidence import number
from seedlock.evaluation.watch.level import BELOW, Level, threshold
from seedlock.evaluation.watch.log_lines import BadLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedlock.evaluation.watch.expectation import Expectation
    from seedlock.evaluation.watch.log_lines import Line

INSIDE, LEFT, CHANGED, UNDECIDED = "INSIDE", "LEFT", "CHANGED", "NOT DECIDED"

EXIT_STATUSES = {INSIDE: 0, LEFT: 1, CHANGED: 3, UNDECIDED: 4}

LEAST = 10
"""Values below which nothing is called inside: so few could show next to nothing."""

NAMED = 5
"""How many lines without a value are named."""


@dataclass(frozen=True)
class Alarm:
    """A test's evidence came to its threshold.

    Attributes:
        line, time: the first line at which it did.
        since_line, since_time: from where on, by an estimate.
        side: `below` or `above`.
        before, after: means of the values before that estimate and from it on, as of the alarm;
            `before` is None where there are none.
    """

    line: int
    time: str | None
    since_line: int
    since_time: str | None
    side: str
    before: float | None
    after: float


class Watcher:
    """A log that is watched.

    Args:
        expected: what is expected.
        rate: chance of a false alarm ever, above 0, below 1; both tests share it.
        bounds: least and largest value that a line can have; None where nobody knows.
        every: how many values count as one, their mean.
    """

    def __init__(
        self,
        expected: Expectation,
        rate: float = 0.01,
        bounds: tuple[float, float] | None = None,
        every: int = 1,
    ) -> None:
        self.expected, self.rate, self.bounds, self.every = expected, rate, bounds, every
        self.values: list[float] = []
        self.places: list[tuple[int, str | None]] = []
        self.problems: list[tuple[int, str]] = []
        self.without = self.read = 0
        self.level: Alarm | None = None
        self.change: Alarm | None = None
        self._level = Level(expected.low, expected.high, bounds)
        self._change = Change()
        self._evidence = {"level": 0.0, "change": 0.0}
        self._block: list[float] = []
        self._block_begins: tuple[int, str | None] = (0, None)

    def add(self, line: Line) -> list[str]:
        """Take a line; return the tests, `level` or `change`, that found something with it.

        Raises:
            BadLog: its value is outside the range.
        """
        self.read += 1
        if line.value is None:
            self.without += 1
            if len(self.problems) < NAMED:
                self.problems.append((line.number, line.problem or "has no value"))
            return []
        if self.bounds is not None and not self.bounds[0] <= line.value <= self.bounds[1]:
            raise BadLog(
                f"line {line.number} has {line.value:g}, outside the range {self.bounds[0]:g} to "
                f"{self.bounds[1]:g}; allowed: values within it; say --range LOW:HIGH, or --range "
                "none where nobody knows"
            )
        if not self._block:
            self._block_begins = (line.number, line.time)
        self._block.append(line.value)
        if len(self._block) < self.every:
            return []
        value, self._block = mean(self._block), []
        return self._counted(value, line)

    def _counted(self, value: float, line: Line) -> list[str]:
        self.values.append(value)
        self.places.append(self._block_begins)
        row = numpy.array([value])
        found = []
        for name, test in (("level", self._level), ("change", self._change)):
            self._evidence[name] = float(test.add(row)[0])
            if getattr(self, name) is None and self._evidence[name] >= threshold(self.rate / 2):
                setattr(self, name, self._alarm(*test.best(), line))
                found.append(name)
        return found

    def _alarm(self, side: str, since: int, line: Line) -> Alarm:
        before, after = self.values[: since - 1], self.values[since - 1 :]
        return Alarm(
            line.number, line.time, *self.places[since - 1], side, mean(before) if before else None,
            mean(after),
        )  # fmt: skip

    @property
    def verdict(self) -> str:
        """One of the keys of `EXIT_STATUSES`.

        A log that changed within itself has left if its values since then are outside on average.
        """
        if self.level is not None:
            return LEFT
        if self.change is not None:
            since = self._place(self.change)
            return CHANGED if self._inside(mean(self.values[since:])) else LEFT
        if len(self.values) < LEAST or not self._inside(mean(self.values)):
            return UNDECIDED
        return INSIDE

    def _place(self, alarm: Alarm) -> int:
        return next(
            place for place, (line, _) in enumerate(self.places) if line == alarm.since_line
        )

    def _steady(self) -> list[float]:
        """Return the values up to where they changed, which would look like going together."""
        return self.values if self.change is None else self.values[: self._place(self.change)]

    def _inside(self, value: float) -> bool:
        return self.expected.low <= value <= self.expected.high

    def result(self) -> dict[str, Any]:
        """Return all that there is to be said, JSON-ready."""
        found = None if not self.values else summary(self.values)
        return {
            "verdict": self.verdict,
            "exit_status": EXIT_STATUSES[self.verdict],
            "expected": self.expected.as_dict(),
            "log": {
                "lines": self.read,
                "without_value": self.without,
                "problems": [{"line": line, "problem": said} for line, said in self.problems],
                "values": len(self.values),
                "every": self.every,
                "left_over": len(self._block),
                "range": None if self.bounds is None else list(self.bounds),
                "mean": None if found is None else found.mean,
                "sd": None if found is None else found.sd,
                "low": None if found is None else found.low,
                "high": None if found is None else found.high,
                "autocorrelation": autocorrelation(self._steady()),
            },
            "false_alarm": self.rate,
            "threshold": 2 / self.rate,
            "level": self._of_test("level"),
            "change": self._of_test("change"),
            "notes": self.notes(),
        }

    def _of_test(self, name: str) -> dict[str, Any]:
        alarm = getattr(self, name)
        return {
            "evidence": number(self._evidence[name]),
            "alarm": None if alarm is None else asdict(alarm),
        }

    def notes(self) -> list[str]:
        """Return what a reader should know of the log, one line each."""
        found = list(self.expected.notes)
        if self.without:
            found.append(f"{self.without} of {self.read} lines have no value and do not count")
        if 0 < len(self.values) < LEAST:
            found.append(f"{len(self.values)} values are too few to call a log inside: {LEAST}")
        steady = self._steady()
        together = autocorrelation(steady)
        if together is not None and together > 2 / math.sqrt(len(steady)):
            found.append(
                f"neighbouring values go together (autocorrelation {together:.2f}): the bound on "
                "false alarms is for values that do not; say --every K to take means of K"
            )
        if self.bounds is None and len(set(self.values)) < len(self.values) / 2:
            found.append(
                "most values come more than once, as where each is of few cases: say --range "
                "LOW:HIGH, which needs no symmetry of them"
            )
        return found

    def worse(self, side: str) -> bool | None:
        """Return whether a side is the worse one; None where nobody says."""
        if self.expected.direction is None:
            return None
        return (side == BELOW) == (self.expected.direction == "max")


def autocorrelation(values: Sequence[float]) -> float | None:
    """Return how far a value goes along with the one before it, -1 to 1.

    Of their ranks, so that one outlier does not decide it; None for fewer than ten values or where
    all are equal.
    """
    if len(values) < LEAST or min(values) == max(values):
        return None
    from scipy.stats import rankdata

    ranks = rankdata(values)
    apart = ranks - ranks.mean()
    return float((apart[1:] * apart[:-1]).sum() / (apart * apart).sum())
