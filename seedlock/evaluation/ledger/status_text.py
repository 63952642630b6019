"""How a round stands, for people: lines, and a table for a terminal that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.ledger.chain import time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from seedlock.evaluation.ledger.status import Standing, Status

COLUMNS = ("submission", "done", "running", "queued", "failed", "retries")
"""Leased counts as running; failed are author failures, limits and those that the machine failed
for good."""


def text(status: Status) -> str:
    """Return all of it: a line per submission, then the totals."""
    rows = [COLUMNS, *(_cells(each) for each in status.submissions)]
    width = max(len(row[0]) for row in rows)
    lines = [
        f"{row[0]:<{width}}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows
    ]  # fmt: skip
    return "\n".join([*lines, "", totals(status)] if status.submissions else [totals(status)])


def totals(status: Status) -> str:
    """Return one line: how much is done, and when the rest may be."""
    if status.round is None:
        return "the ledger is empty: no round was entered"
    counts = status.counts
    done, running = counts["done"], counts["leased"] + counts["running"]
    parts = [f"{done} done", f"{running} running", f"{counts['queued']} queued"]
    named = {
        "author-failure": "failed by the author's program",
        "limit": "at a limit",
        "infrastructure": "failed by the machine",
    }
    parts += [f"{counts[each]} {words}" for each, words in named.items() if counts[each]]
    if status.retries:
        parts.append(f"{status.retries} attempt{'s' * (status.retries > 1)} repeated")
    line = f"round {plain(status.round)}: {status.seeds} runs: {', '.join(parts)}; "
    if status.complete:
        return line + "complete"
    left = status.seconds_left
    if left is None:
        return line + ("nothing has ended yet" if running else "nothing runs")
    end = time_text(status.now + round(left * 1000))
    return line + f"about {duration(left)} left, to {end[:16].replace('T', ' ')} UTC"


def duration(seconds: float) -> str:
    """Return a time for people, in the largest two units."""
    units = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    for index, (size, unit) in enumerate(units):
        if seconds >= size:
            whole, rest = divmod(round(seconds), size)
            if index + 1 == len(units):
                return f"{whole} {unit}"
            smaller, name = units[index + 1]
            return f"{whole} {unit} {rest // smaller} {name}" if rest // smaller else (
                f"{whole} {unit}"
            )  # fmt: skip
    return "a second"


def table(status: Status, rows: int) -> Table:
    """Return as much as fits: those first of which something runs, then those that wait.

    Args:
        status: how it stands.
        rows: how many lines there are.
    """
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False)
    for name in COLUMNS:
        shown.add_column(name, no_wrap=True, justify="left" if name == COLUMNS[0] else "right")
    for each in sorted(status.submissions, key=_interest)[: max(1, rows)]:
        # Text, not markup: a submission's name is its author's.
        shown.add_row(*(Text(cell) for cell in _cells(each)))
    return shown


def plain(name: str) -> str:
    """Return a name with nothing in it that moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in name)


def _interest(standing: Standing) -> int:
    counts = standing.counts
    if counts["leased"] or counts["running"]:
        return 0
    return 1 if counts["queued"] else 2


def _cells(standing: Standing) -> Sequence[str]:
    counts = standing.counts
    failed = counts["author-failure"] + counts["limit"] + counts["infrastructure"]
    numbers = (
        counts["done"], counts["leased"] + counts["running"], counts["queued"], failed,
        standing.retries,
    )  # fmt: skip
    return (plain(standing.name), *map(str, numbers))
