"""From the command line's words to what is watched: expectation, log, and what to tell."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.errors import printable
from seedlock.evaluation import option_values
from seedlock.evaluation.watch import expected_values, following
from seedlock.evaluation.watch.expectation import LARGEST, Expectation, Width, expectation
from seedlock.evaluation.watch.log_lines import BadLog, Line, Lines
from seedlock.evaluation.watch.watcher import Watcher

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

STANDARD_INPUT = "-"

LEAST = 1e-100
"""Of a probability, a deviation or a tolerance: what is worked out of it has to be above 0, too."""


@dataclass
class Asked:
    """What was asked for.

    Attributes:
        expected: what is expected.
        log: the file, or `STANDARD_INPUT`.
        reader: of its lines.
        follow: whether to go on as it grows.
        rate: chance of a false alarm ever.
        bounds: least and largest value of a line, or None.
        every: how many values count as one.
    """

    expected: Expectation
    log: str
    reader: Lines
    follow: bool
    rate: float
    bounds: tuple[float, float] | None
    every: int

    def watcher(self) -> Watcher:
        """Return one that has seen nothing yet."""
        return Watcher(self.expected, self.rate, self.bounds, self.every)

    def lines(self) -> Iterator[Line]:
        """Yield what the log's lines say of the metric; without an end where it is followed.

        Raises:
            BadLog: it can't be read, or can't hold the metric.
        """
        for raw in self._raw():
            line = None if raw is None else self.reader.add(raw)
            if line is not None:
                yield line

    def look_at(self, watcher: Watcher) -> None:
        """Make sure that a log had anything to say.

        Raises:
            BadLog: no line of it has a value.
        """
        if watcher.values or self.follow:
            return
        shown = printable(self.log, 200)
        if watcher.read > watcher.without:
            raise BadLog(
                f"{shown} has {watcher.read - watcher.without} values, fewer than --every "
                f"{watcher.every}; allowed: as many at least; take a smaller one"
            )
        first = ""
        if watcher.problems:
            first = f": line {watcher.problems[0][0]} {watcher.problems[0][1]}"
        raise BadLog(
            f"{shown} has no value of {printable(self.reader.field)} in {self.reader.number} "
            f"lines{first}; allowed: JSON lines or CSV with numbers of it; say --metric NAME=FIELD"
        )

    def _raw(self) -> Iterator[bytes | None]:
        if self.log == STANDARD_INPUT:
            yield from following.once(sys.stdin.buffer)
        elif self.follow:
            yield from following.followed(Path(self.log))
        else:
            with following.opened(Path(self.log)) as file:
                yield from following.once(file)


def asked(options: argparse.Namespace) -> Asked | str:
    """Return what was asked for, or what is wrong with the command line.

    Raises:
        BadRecord, BadRound, BadExpectation: what is expected can't be said.
    """
    log, paths = options.log, [*options.expect]
    if log is None:
        if len(paths) < 2:
            return "no log is named; allowed: seedlock watch --expect RECORD ... LOG"
        log = paths.pop()
    name, _, field = (options.metric or "").partition("=")
    numbers: dict[str, float | None] = {}
    for option, highest in (("confidence", 1.0), ("false_alarm", 1.0), ("sd", LARGEST),
                            ("tolerance", LARGEST)):  # fmt: skip
        given = getattr(options, option)
        numbers[option] = None if given is None else _number(given)
        if given is not None and not LEAST <= (numbers[option] or 0) < highest:
            return (
                f"--{option.replace('_', '-')} is {given!r}; allowed: a number above 0 and below "
                f"{highest:g}, from {LEAST:g} on"
            )
    if options.sd is not None and options.tolerance is not None:
        return "--sd and --tolerance: both say how wide the interval is; leave one out"
    every = option_values.whole(options.every, 1, 1_000_000)
    if every is None:
        return f"--every is {options.every!r}; allowed: a whole number from 1 to 1000000"
    bounds = None if options.bounds in (None, "none") else _bounds(options.bounds)
    if options.bounds not in (None, "none") and bounds is None:
        return f"--range is {options.bounds!r}; allowed: LOW:HIGH, as 0:1, or none"
    values = _values(paths, name or None, options)
    if isinstance(values, str):
        return values
    width = Width(numbers["confidence"] or 0.95, numbers["sd"], numbers["tolerance"])
    expected = expectation(
        values.metric, values.direction, values.values, width, values.seeds, values.notes
    )
    if options.bounds is None:
        bounds = expected.bounds
    return Asked(
        expected, log, Lines(field or values.metric, options.time_field, options.format),
        options.follow, numbers["false_alarm"] or 0.01, bounds, every,
    )  # fmt: skip


def _values(
    paths: list[str], metric: str | None, options: argparse.Namespace
) -> expected_values.Values | str:
    if len(paths) == 1 and Path(paths[0]).is_dir():
        return expected_values.of_round(Path(paths[0]), options.submission, metric)
    if options.submission is not None:
        return "--submission: allowed with the folder of a round only"
    return expected_values.of_records([Path(each) for each in paths], metric, options.anyway)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _bounds(text: str) -> tuple[float, float] | None:
    low, _, high = text.partition(":")
    found = _number(low), _number(high)
    if found[0] is None or found[1] is None or not -LARGEST <= found[0] < found[1] <= LARGEST:
        return None
    return found[0], found[1]
