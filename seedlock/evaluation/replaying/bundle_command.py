"""`seedlock bundle` on the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.environment import leave_lock

if TYPE_CHECKING:
    import argparse

    from seedlock.evaluation.replaying.bundle import Packing

EXIT_USAGE = 2
EXIT_DISK = 74
EXIT_INTERRUPTED = 130

ENDINGS = (".tar.gz", ".tgz", ".zip")

EPILOG = """\
The bundle holds the record, the source that ran, the lock file, outputs, reports and traces of
the run, and a manifest with the SHA-256 of each. Equal input gives equal bytes.

  seedlock bundle run.json -o run.tar.gz
  seedlock replay run.tar.gz

exit status:
    0  written; its digest is printed
    2  the command line is wrong
   74  a file could not be read or written, as on a full disk
   78  the record can't be read, or what it points to is gone or was changed; nothing was written
  130  interrupted; nothing was written

docs/records.md has what is in a bundle, and what a record does not hold.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    import argparse

    parser = subcommands.add_parser(
        "bundle",
        help="pack a record and what it points to into one file",
        description="Pack a record and what it points to into one file, for an archive.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("record", metavar="RECORD", help="what seedlock run --record wrote")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="a new file, .tar.gz or .zip"
    )
    parser.add_argument(
        "--source", metavar="DIR",
        help="folder of the program (default: that of the run, seen from this folder)",
    )  # fmt: skip
    parser.add_argument("--with-data", action="store_true", help="pack the declared data too")
    parser.add_argument(
        "--data", action="append", default=[], metavar="DIR|LOCK",
        help="a folder that holds declared sets by their names, or a data.lock whose sets were "
        "fetched (default: REPRO_DATA, then data.lock in the source)",
    )  # fmt: skip
    parser.set_defaults(command=_bundle)


def _bundle(options: argparse.Namespace) -> int:
    leave_lock()
    from seedlock.evaluation.requirements import RECORD, require

    require(RECORD)
    path = Path(options.output).absolute()
    if not path.name.endswith(ENDINGS) or path.name in ENDINGS:
        return _refuse(
            f"-o {options.output}: allowed: a name that ends with {' or '.join(ENDINGS)}"
        )
    if path.exists() or not path.parent.is_dir():
        return _refuse(f"-o {options.output}: allowed: a new file in a folder that is there")
    try:
        return _packed(options, path)
    except KeyboardInterrupt:
        print("seedlock bundle: interrupted; nothing was written", file=sys.stderr)
        return EXIT_INTERRUPTED
    except OSError as problem:
        where = problem.filename or path
        print(f"seedlock bundle: {where}: {problem.strerror or problem}", file=sys.stderr)
        return EXIT_DISK


def _packed(options: argparse.Namespace, path: Path) -> int:
    from rich.console import Console

    from seedlock.evaluation.file_digests import NotDigestible
    from seedlock.evaluation.replaying.progress import Bytes

    packing = _packing(options)
    try:
        found = packing.collect(os.environ)
    except NotDigestible as problem:
        return _refuse(f"a file can't have a digest: {problem}")
    with Bytes(Console(stderr=True), "packing") as progress:
        digest = packing.write(path, found, progress.show)
    print(f"{digest}  {options.output}")
    print(f"  {len(found.files)} files, {found.size} bytes", file=sys.stderr)
    left_out = [each["name"] for each in packing.content["data"] if packing.data is None]
    if left_out:
        print(f"  without data: {', '.join(left_out)} (--with-data)", file=sys.stderr)
    return 0


def _packing(options: argparse.Namespace) -> Packing:
    from seedlock.evaluation.data import caching
    from seedlock.evaluation.recording.record import load
    from seedlock.evaluation.recording.run_data import FOLDER
    from seedlock.evaluation.replaying import sets
    from seedlock.evaluation.replaying.bundle import Packing
    from seedlock.evaluation.replaying.request import artifacts_of, source_of

    file = Path(options.record).absolute()
    content = load(file)
    artifacts = artifacts_of(file, content)
    source = Path(os.path.abspath(options.source)) if options.source else source_of(content)
    places = None
    if options.with_data:
        folders, locks = sets.named(options.data, os.environ)
        folders.append(artifacts / FOLDER)
        locks.append(source / sets.LOCK)
        places = sets.found(content, folders, locks, caching.default(os.environ))
    return Packing(file, content, artifacts, source, places)


def _refuse(problem: str) -> int:
    print(f"seedlock bundle: {problem}", file=sys.stderr)
    return EXIT_USAGE
