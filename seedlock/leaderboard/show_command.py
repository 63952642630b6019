"""`seedlock board show`: the standings of a round, for people, as JSON and as CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

PLAIN_WIDTH = 200
"""Columns where nobody's terminal says how many there are."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "show",
        help="show a round's standings: means, intervals, and who can be told apart",
        description="Compute a round's standings from its published folder and show them, best "
        "mean first. docs/scores.md says what each number means.",
        epilog="Exit status 2: the command line is wrong; 74: FILE can't be written, as on a "
        "full disk; 78: a file of the round is not what it has to be.",
    )
    parser.add_argument(
        "round", nargs="?", default=".", metavar="ROUND", help="the round's folder (default: here)"
    )
    parser.add_argument("--metric", metavar="NAME", help="only this one (default: all)")
    parser.add_argument("--json", action="store_true", help="print all numbers as JSON")
    parser.add_argument("--csv", metavar="FILE", help="write a row per submission and metric")
    parser.set_defaults(command=_show)


def _show(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import SCORES, require

    require(SCORES)
    from seedlock.errors import printable
    from seedlock.evaluation.full_disk import EXIT_DISK_FULL
    from seedlock.evaluation.scores import spreadsheet
    from seedlock.evaluation.scores.standings import of_round
    from seedlock.evaluation.writing import why_not_written

    found = of_round(Path(options.round).absolute())
    known = list(found.content["metrics"])
    if options.metric is not None and options.metric not in known:
        allowed = ", ".join(printable(each, 60) for each in known)
        print(
            f"seedlock board show: --metric {printable(options.metric, 60)}; allowed: {allowed}",
            file=sys.stderr,
        )
        return EXIT_USAGE
    metrics = known if options.metric is None else [options.metric]
    if options.csv is not None:
        problem = why_not_written(options.csv, spreadsheet.text(found, metrics))
        if problem is not None:
            print(f"seedlock board show: {problem}", file=sys.stderr)
            return EXIT_DISK_FULL
    if options.json:
        print(found.as_bytes().decode(), end="")
        return 0
    from rich.console import Console
    from rich.text import Text

    from seedlock.leaderboard import show_table

    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    for metric in metrics:
        console.print(show_table.table(found, metric))
    for line in show_table.remarks(found, metrics):
        console.print(Text(line), soft_wrap=True)
    return 0
