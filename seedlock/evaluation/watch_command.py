"""`seedlock watch` on the command line: its options, and which output goes where."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.watch.asked import Asked
    from seedlock.evaluation.watch.watcher import Watcher

EXIT_USAGE = 2

EPILOG = """\
Two questions, each looked at after every line, with one chance of a false alarm however long one
watches: is the log's level outside the interval for one more model of the recipe, and did the log
change within itself?

  seedlock watch --expect run-*.json metrics.jsonl
  seedlock watch --expect run-*.json --metric accuracy=acc --time-field date daily.csv
  seedlock watch --expect ROUND --submission mine --follow service.jsonl

exit status:
    0  INSIDE: nothing speaks against one more model of the recipe
    1  LEFT: the level is outside the interval, or was after a change
    2  the command line is wrong
    3  CHANGED: within itself; its level is still an expected one
    4  NOT DECIDED: too few values, or outside with too few lines to be sure
   74  a file could not be written, as on a full disk
   78  a record, the round or the log can't be used

docs/watch.md has the assumptions, the statistics and what was simulated.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "watch",
        help="has a deployed model left what its records let one expect?",
        description="Compare a metric in a deployed model's log with its records: the level "
        "against the interval for one more model, and the log against itself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "log", metavar="LOG", nargs="?",
        help="JSON lines or CSV; - for standard input (default: what --expect names last)",
    )  # fmt: skip
    expected = parser.add_argument_group("what is expected")
    expected.add_argument(
        "--expect", nargs="+", action="extend", required=True, metavar="RECORD",
        help="records of one recipe under several seeds, or a round's folder",
    )  # fmt: skip
    expected.add_argument("--submission", metavar="NAME", help="whose runs of the round")
    expected.add_argument(
        "--metric", metavar="NAME[=FIELD]",
        help="the records' metric, and the log's field where it has another name (default: the "
        "only one that is declared)",
    )  # fmt: skip
    expected.add_argument(
        "--confidence", metavar="P", default="0.95",
        help="probability with which the interval holds one more model (default: 0.95)",
    )  # fmt: skip
    expected.add_argument(
        "--sd", metavar="SD", help="standard deviation over seeds, in the place of the records' own"
    )
    expected.add_argument(
        "--tolerance", metavar="WIDTH", help="the interval is the mean and this much on each side"
    )
    expected.add_argument(
        "--anyway", action="store_true", help="take records that differ in more than the seed"
    )
    reading = parser.add_argument_group("the log")
    reading.add_argument("--time-field", metavar="FIELD", help="what names a line's time")
    reading.add_argument("--format", choices=("jsonl", "csv"), help="(default: by its first line)")
    reading.add_argument(
        "--range", metavar="LOW:HIGH|none", dest="bounds",
        help="least and largest value that a line can have (default: 0:1 for a metric of which "
        "more is better and whose recorded values are shares, else none)",
    )  # fmt: skip
    reading.add_argument(
        "--every", metavar="K", default="1", help="means of K values count as one (default: 1)"
    )
    reading.add_argument(
        "--false-alarm", metavar="P", default="0.01",
        help="chance of a false alarm ever, of both tests together (default: 0.01)",
    )  # fmt: skip
    reading.add_argument(
        "--follow", action="store_true", help="go on as the file grows, until Ctrl-C"
    )
    reading.add_argument("--until-left", action="store_true", help="end with the first alarm")
    results = parser.add_argument_group("results")
    results.add_argument("--json", action="store_true", help="print the result as JSON")
    results.add_argument("--html", metavar="PAGE", help="write a page with a picture")
    parser.set_defaults(command=_watch)


def _watch(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import SCORES, require

    require(SCORES)
    from seedlock.evaluation.watch.asked import asked

    question = asked(options)
    if isinstance(question, str):
        print(f"seedlock watch: {question}", file=sys.stderr)
        return EXIT_USAGE
    watcher = question.watcher()
    try:
        _through(options, question, watcher)
    except KeyboardInterrupt:
        # The only end of a log that is followed; what was seen until then counts.
        if not options.follow:
            raise
    question.look_at(watcher)
    return _told(options, watcher)


def _through(options: argparse.Namespace, question: Asked, watcher: Watcher) -> None:
    from seedlock.evaluation.watch.watch_text import alarm_lines

    for line in question.lines():
        for name in watcher.add(line):
            if options.follow and not options.json:
                print("\n".join(alarm_lines(watcher, name, watcher.result())), flush=True)
            if options.until_left:
                return


def _told(options: argparse.Namespace, watcher: Watcher) -> int:
    from seedlock.evaluation.full_disk import EXIT_DISK_FULL
    from seedlock.evaluation.watch.watch_page import page
    from seedlock.evaluation.watch.watch_text import text
    from seedlock.evaluation.writing import why_not_written

    result = watcher.result()
    if options.html:
        problem = why_not_written(options.html, page(watcher))
        if problem is not None:
            print(f"seedlock watch: {problem}", file=sys.stderr)
            return EXIT_DISK_FULL
    if options.json:
        import json

        print(json.dumps(result, indent=1, sort_keys=True, allow_nan=False))
    else:
        print(text(watcher, _has_blocks()))
    status: int = result["exit_status"]
    return status


def _has_blocks() -> bool:
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
