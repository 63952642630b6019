"""`seedlock checklist` on the command line: its options, and which output goes where."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2
EXIT_INCOMPLETE = 4

EPILOG = """\
For each point: answered by the record, in part with the reason, or only by the author; the answer;
and where in the record it stands. Nothing is answered beyond what the records hold.

  seedlock checklist run-*.json
  seedlock checklist run-*.json --only neurips,acm --replay run-1-replay-1/replay.json
  seedlock checklist run-*.json --markdown > checklist.md
  seedlock checklist --list

exit status:
    0  filled in
    2  the command line is wrong
    4  filled in, but a record says that its run goes on, or it was killed: it proves nothing
   74  a file could not be written, as on a full disk
   78  a file is no record or no result of a replay, or there is no such checklist

docs/checklists.md has the sources, and which point is answered by what.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "checklist",
        help="fill in the reproducibility checklists of conferences from records",
        description="Fill in the reproducibility checklists of conferences as far as the records "
        "of a submission answer them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "records", metavar="RECORD", nargs="*",
        help="records of one submission's runs, or the folder of a round",
    )  # fmt: skip
    parser.add_argument("--submission", metavar="NAME", help="whose runs of the round")
    parser.add_argument(
        "--replay", metavar="FILE", action="append", default=[],
        help="replay.json of seedlock replay, of one of the records",
    )  # fmt: skip
    parser.add_argument(
        "--only", metavar="ID,ID", help="these checklists (default: all; --list names them)"
    )
    parser.add_argument("--list", action="store_true", help="print which checklists there are")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print Markdown")
    form.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", metavar="PAGE", help="write a page")
    parser.set_defaults(command=_checklist)


def _checklist(options: argparse.Namespace) -> int:
    from seedlock.evaluation.checklists.sheets import checklists

    names = [each.strip() for each in (options.only or "").split(",") if each.strip()]
    if options.only is not None and not names:
        return _refuse("--only names nothing; allowed: ids of checklists with commas between them")
    wanted = checklists(names)
    if options.list:
        from seedlock.evaluation.checklists.sheet_text import listing

        print(listing(wanted))
        return 0
    if not options.records:
        return _refuse("no record is named; allowed: seedlock checklist RECORD [RECORD ...]")
    from seedlock.evaluation.requirements import SCORES, require

    require(SCORES)
    from seedlock.evaluation.checklists.filled import filled
    from seedlock.evaluation.checklists.gathering import gathered

    facts = gathered(options.records, options.replay, options.submission)
    found = filled(wanted, facts)
    if options.html:
        from seedlock.evaluation.checklists.sheet_page import page
        from seedlock.evaluation.full_disk import EXIT_DISK_FULL
        from seedlock.evaluation.writing import why_not_written

        problem = why_not_written(options.html, page(found))
        if problem is not None:
            print(f"seedlock checklist: {problem}", file=sys.stderr)
            return EXIT_DISK_FULL
    if options.json:
        import json

        print(json.dumps(found, indent=1, sort_keys=True))
    else:
        from seedlock.evaluation.checklists.sheet_text import markdown, text

        print(markdown(found) if options.markdown else text(found))
    return EXIT_INCOMPLETE if facts.running else 0


def _refuse(problem: str) -> int:
    print(f"seedlock checklist: {problem}", file=sys.stderr)
    return EXIT_USAGE
