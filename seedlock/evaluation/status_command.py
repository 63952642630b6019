"""`seedlock status`: how a round stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation import option_values

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.ledger.ledger import Ledger

EXIT_USAGE = 2

EVERY = 2.0
"""Seconds between two looks."""

LINES_BESIDE = 4
"""Lines of a terminal that the table leaves for its head, the totals and what was typed."""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "status",
        help="show how a round's evaluation stands",
        description="Show how many runs of each submission are done, running, queued and failed, "
        "and when the rest may be done.",
        epilog="Exit status 78: there is no ledger; 130: interrupted. docs/ledger.md has samples.",
    )
    parser.add_argument(
        "ledger", nargs="?", default=".", metavar="LEDGER",
        help="a round's folder, a ledger's file, or a URL (default: the folder here)",
    )  # fmt: skip
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--json", action="store_true", help="print JSON")
    ways.add_argument(
        "--watch", action="store_true", help="go on until all is done or Ctrl-C is pressed"
    )
    parser.add_argument(
        "--every", metavar="SECONDS", default=str(EVERY),
        help=f"with --watch: time between two looks (default: {EVERY:g})",
    )  # fmt: skip
    parser.set_defaults(command=_status)


def _status(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import LEDGER, require

    require(LEDGER)
    from seedlock.evaluation.ledger.ledger import Ledger
    from seedlock.evaluation.ledger.status_text import text

    every = option_values.seconds(options.every)
    if every is None:
        import sys

        print(
            f"seedlock status: --every '{options.every}'; allowed: a number of seconds above 0",
            file=sys.stderr,
        )
        return EXIT_USAGE
    with Ledger.open(options.ledger, create=False) as ledger:
        if options.watch:
            _watch(ledger, every)
        elif options.json:
            import json

            print(json.dumps(ledger.status().to_json(), indent=1))
        else:
            print(text(ledger.status()))
    return 0


def _watch(ledger: Ledger, every: float) -> None:
    """Show it again and again: drawn over itself on a terminal, else a line when it changes."""
    import time

    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    from seedlock.evaluation.ledger.status_text import table, totals

    console = Console()
    if not console.is_terminal:
        told = ""
        while not (status := ledger.status()).complete:
            # The line without its estimate, which moves while nothing happens.
            if status.head != told:
                told = status.head
                print(totals(status), flush=True)
            time.sleep(every)
        print(totals(status), flush=True)
        return
    # Without a thread of its own: all that is drawn is drawn here.
    with Live(console=console, auto_refresh=False) as live:
        while True:
            status = ledger.status()
            rows = console.height - LINES_BESIDE
            live.update(Group(table(status, rows), Text(totals(status))), refresh=True)
            if status.complete:
                return
            time.sleep(every)
