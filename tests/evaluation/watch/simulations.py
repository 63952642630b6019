"""Simulated logs: how often each test raises a false alarm, and how soon it finds a drop.

`python -m tests.evaluation.watch.simulations` prints the tables of docs/watch.md; the tests take
the same functions with fewer logs. All seeds are fixed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from seedlock.evaluation.watch.change import Change
from seedlock.evaluation.watch.level import Level, threshold

LOW, HIGH, MIDDLE, NOISE = 0.92, 0.945, 0.9325, 0.018
"""An interval as a few seeds of an accuracy give it, and the spread of a log's lines."""

RATE = 0.005
"""What each of the two tests has, where both together have 1 %."""

LENGTHS = (30, 100, 500)


def alarms(test: Level | Change, values: Any, rate: float) -> Any:
    """Return at which line each log has its first alarm, 0 for none.

    Args:
        test: one that has seen nothing, for as many logs.
        values: one row per log.
        rate: chance of a false alarm.
    """
    first: Any = numpy.zeros(len(values), dtype=int)
    for line in range(values.shape[1]):
        raised = test.add(values[:, line]) >= threshold(rate)
        first[raised & (first == 0)] = line + 1
    return first


def normal(generator: Any, logs: int, lines: int) -> Any:
    """Return noise of deviation 1, as the next ones do."""
    return generator.normal(size=(logs, lines))


def heavy(generator: Any, logs: int, lines: int) -> Any:
    """Student's t with 3 degrees of freedom: outliers."""
    return generator.standard_t(3, size=(logs, lines)) / numpy.sqrt(3)


def skewed(generator: Any, logs: int, lines: int) -> Any:
    """Shares of right answers in batches of 200 cases, 93 % on average."""
    return (generator.binomial(200, 0.93, size=(logs, lines)) / 200 - 0.93) / NOISE


def alike(share: float) -> Callable[[Any, int, int], Any]:
    """Return noise in which each line goes along with the one before it, by a share of it."""

    def drawn(generator: Any, logs: int, lines: int) -> Any:
        fresh = generator.normal(size=(logs, lines))
        noise = numpy.empty_like(fresh)
        noise[:, 0] = fresh[:, 0]
        for line in range(1, lines):
            kept = share * noise[:, line - 1]
            noise[:, line] = kept + numpy.sqrt(1 - share * share) * fresh[:, line]
        return noise

    return drawn


def tests(logs: int) -> dict[str, Level | Change]:
    """Return the tests, new."""
    return {
        "level": Level(LOW, HIGH, None, logs),
        "level, with a range": Level(LOW, HIGH, (0.0, 1.0), logs),
        "change": Change(logs),
    }


def false_alarms(
    name: str, noise: Callable[[Any, int, int], Any], level: float, logs: int,
    lengths: Sequence[int] = LENGTHS, rate: float = RATE, every: int = 1,
) -> list[float]:  # fmt: skip
    """Return the share of logs with an alarm up to each of some lines, nothing being wrong."""
    generator = numpy.random.default_rng(20261122)
    values = level + NOISE * noise(generator, logs, max(lengths))
    if "range" in name:
        values = numpy.clip(values, 0, 1)
    if every > 1:
        values = values.reshape(logs, -1, every).mean(axis=2)
    first = alarms(tests(logs)[name], values, rate)
    return [float(((first > 0) & (first <= length // every)).mean()) for length in lengths]


def delays(name: str, drop: float, before: int, logs: int, lines: int) -> Any:
    """Return how many lines after a drop each log has its alarm; what is not found as `lines`."""
    generator = numpy.random.default_rng(20261123)
    values = MIDDLE + NOISE * generator.normal(size=(logs, before + lines))
    values[:, before:] -= drop
    first = alarms(tests(logs)[name], numpy.clip(values, 0, 1), RATE)
    found = numpy.where(first == 0, before + lines, first) - before
    return found[found > 0]


def main() -> None:
    """Print the tables."""
    logs = 2000
    out = sys.stdout.write
    for title, noise in (("normal", normal), ("t, 3 degrees", heavy), ("batches of 200", skewed)):
        for name in tests(1):
            level = MIDDLE if name == "change" else LOW
            shares = false_alarms(name, noise, level, logs)
            out(f"| {name} | {title} | " + " | ".join(f"{100 * s:.2f} %" for s in shares) + " |\n")
    for share in (0.2, 0.4, 0.6, 0.9):
        for name in tests(1):
            for level in (MIDDLE, LOW) if name != "change" else (MIDDLE,):
                for every in (1, 10):
                    found = false_alarms(name, alike(share), level, 500, (500,), every=every)[0]
                    out(f"| {name} | {share} | {level} | {every} | {100 * found:.1f} % |\n")
    for drop in (1, 2, 4):
        for before in (50, 300):
            for name in tests(1):
                found = delays(name, drop * NOISE, before, 500, 400)
                middle, most = (float(numpy.quantile(found, share)) for share in (0.5, 0.9))
                missed = 100 * (found >= 400).mean()
                out(
                    f"| {name} | {drop} | {before} | {middle:.0f} | {most:.0f} | {missed:.0f} % |\n"
                )


if __name__ == "__main__":
    main()
