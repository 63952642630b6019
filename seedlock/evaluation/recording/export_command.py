"""`seedlock export` on the command line: a record in the formats of others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2
EXIT_INCOMPLETE = 4


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "export",
        help="write a run's record as an RO-Crate or an in-toto statement",
        description="Write a run's record as an RO-Crate (Process Run profile of the Workflow Run "
        "RO-Crate family) or as an in-toto statement (SLSA provenance v1), unsigned.",
        epilog=f"Exit status {EXIT_USAGE}: nothing is asked for, or a target is there already; "
        f"{EXIT_INCOMPLETE}: the record says that the run goes on, or it was killed; 74: a target "
        "can't be written; 78: the file is no record.",
    )
    parser.add_argument("record", metavar="FILE", help="what seedlock run --record wrote")
    parser.add_argument("--ro-crate", metavar="DIR", help="folder for the crate, new or empty")
    parser.add_argument("--in-toto", metavar="STATEMENT", help="file for the statement, JSON")
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import EXPORT, require

    require(EXPORT)
    from seedlock.evaluation.file_digests import digest_of
    from seedlock.evaluation.full_disk import EXIT_DISK_FULL
    from seedlock.evaluation.recording import in_toto, ro_crate
    from seedlock.evaluation.recording.record import COMPLETE, load
    from seedlock.evaluation.writing import why_not, write_json

    file = Path(options.record)
    record = load(file)
    if record["status"] != COMPLETE:
        return _say("the record is incomplete: the run goes on, or was killed", EXIT_INCOMPLETE)
    if not (options.ro_crate or options.in_toto):
        return _say("nothing is asked for; say --ro-crate DIR or --in-toto FILE", EXIT_USAGE)
    if options.in_toto:
        statement = in_toto.statement(record, file.name, digest_of(file).digest)
        problem = why_not(options.in_toto, lambda: write_json(options.in_toto, statement))
        if problem is not None:
            return _say(problem, EXIT_DISK_FULL)
    if options.ro_crate:
        folder = Path(options.ro_crate)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            return _say(f"{folder} is not empty; allowed: a new or an empty folder", EXIT_USAGE)
        problem = why_not(options.ro_crate, lambda: ro_crate.write(record, file, folder))
        if problem is not None:
            return _say(problem, EXIT_DISK_FULL)
    return 0


def _say(problem: str, status: int) -> int:
    print(f"seedlock export: {problem}", file=sys.stderr)
    return status
