"""`seedlock reference page` on the command line: what changed in a lock, and may it be released."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

EXIT_USAGE = 2

FOLDER = "version-lock/reference"
"""Of the reference models, unless another is named."""

STORED = "cpu"
"""Folder below it that holds the stored measurement."""

STATUSES = """\
exit status: 0 written, and stored with --store; 1 a model FAILs; 4 models could not be compared; in
both cases nothing is stored unless it is accepted; 2 the command line is wrong; 74 a full disk; 78
a measurement or a lock can't be read.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `seedlock reference`."""
    import argparse

    parser = commands.add_parser(
        "page",
        help="tell what changed in a lock: packages, bits, accuracy, speed, size",
        description="Write the page about a lock from its measurement and the stored one "
        "(docs/lock-page.md). Without --measured it is about the stored one, which then is a "
        "first lock.",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", default=FOLDER, metavar="FOLDER",
        help=f"folder with a reference.toml (default: {FOLDER})",
    )  # fmt: skip
    parser.add_argument(
        "--measured", metavar="DIR",
        help=f"measurement of the new lock, which is held against FOLDER/{STORED}",
    )  # fmt: skip
    parser.add_argument(
        "--locks", metavar="DIR",
        help="folder with the lock files (default: the one above FOLDER)",
    )  # fmt: skip
    parser.add_argument(
        "--locks-before", metavar="DIR",
        help="folder with the lock files before; without, versions are compared and hashes not",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="FILE",
        help=f"where the page goes (default: FOLDER/{STORED}/what-changed.md)",
    )  # fmt: skip
    parser.add_argument("--html", metavar="FILE", help="also write it as HTML, with pictures")
    parser.add_argument(
        "--store", action="store_true",
        help=f"with --measured: store the measurement in FOLDER/{STORED} if it passes",
    )  # fmt: skip
    parser.add_argument(
        "--accept", metavar="REASON", help="with --store: store it even so; the page says why"
    )
    parser.set_defaults(command=_page)


def _page(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import PAGES, SCORES, require

    accepted = (options.accept or "").strip()
    if options.accept is not None and not accepted:
        return _usage("--accept is empty; allowed: why this lock is released although it FAILs")
    if options.store and options.measured is None:
        return _usage("--store: allowed with --measured DIR only; the stored one is stored")
    if accepted and not options.store:
        return _usage("--accept: allowed with --store only; a page alone releases nothing")
    require(PAGES if options.html else SCORES)
    from seedlock.evaluation.reference import lock_markdown, models_file, release
    from seedlock.evaluation.reference import stored as measurements
    from seedlock.evaluation.reference.checking import EXIT_STATUSES
    from seedlock.evaluation.reference.lock_words import headline
    from seedlock.evaluation.writing import write_text

    folder = Path(options.folder)
    stored = folder / STORED
    locks = Path(options.locks or folder.parent)
    measured = Path(options.measured) if options.measured else None
    after = release.Lock(measured or stored, locks)
    before = None
    if measured is not None and (stored / measurements.NAME).exists():
        earlier = Path(options.locks_before) if options.locks_before else None
        before = release.Lock(stored, earlier)
    content = release.page(after, before, (folder / models_file.PROGRAMS).resolve(), accepted)
    if options.store and content["facts"][-1]["seeds"] < content["facts"][0]["seeds"]:
        return _usage(
            "--store: the measurement has fewer seeds than the stored one; allowed: all of them"
        )
    status = 0 if content["verdict"] is None else EXIT_STATUSES[content["verdict"]]
    output = Path(options.output or stored / release.PAGE)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(str(output), lock_markdown.page(content))
    if options.html:
        from seedlock.evaluation.reference import lock_html

        Path(options.html).parent.mkdir(parents=True, exist_ok=True)
        write_text(options.html, lock_html.page(content))
    verdict, sentence = headline(content)
    print(f"{verdict}\n{sentence}")
    print(f"written: {output}")
    if options.store and measured is not None:
        if status and not accepted:
            print("seedlock reference page: nothing was stored", file=sys.stderr)
            return status
        release.store(measured, stored)
        print(f"stored in {stored}")
        return 0
    return status


def _usage(text: str) -> int:
    print(f"seedlock reference page: {text}", file=sys.stderr)
    return EXIT_USAGE
