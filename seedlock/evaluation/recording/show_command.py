"""`seedlock show` on the command line: a record for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXIT_INCOMPLETE = 4


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "show",
        help="show a run's record",
        description="Show what a run's record says: how the run ended, what ran, on what, what "
        "came out, and what was not locked.",
        epilog=f"Exit status {EXIT_INCOMPLETE}: the record says that the run goes on, or it was "
        "killed; 74: the page can't be written; 78: the file is no record.",
    )
    parser.add_argument("record", metavar="FILE", help="what seedlock run --record wrote")
    parser.add_argument("--html", metavar="PAGE", help="write a page with the metrics' curves")
    parser.add_argument("--json", action="store_true", help="print the record, checked, as JSON")
    parser.set_defaults(command=_show)


def _show(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import RECORD, require

    require(RECORD)
    from seedlock.evaluation.full_disk import EXIT_DISK_FULL
    from seedlock.evaluation.recording.record import COMPLETE, load
    from seedlock.evaluation.recording.show_page import page
    from seedlock.evaluation.recording.show_text import text
    from seedlock.evaluation.writing import why_not_written

    record = load(Path(options.record))
    if options.html:
        problem = why_not_written(options.html, page(record))
        if problem is not None:
            print(f"seedlock show: {problem}", file=sys.stderr)
            return EXIT_DISK_FULL
    if options.json:
        import json

        print(json.dumps(record, indent=1, sort_keys=True))
    else:
        print(text(record))
    return 0 if record["status"] == COMPLETE else EXIT_INCOMPLETE
