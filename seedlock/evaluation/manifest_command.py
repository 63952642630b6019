"""`seedlock manifest`: what an image is made of, and what changed between two."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedlock.evaluation.manifest import Manifest

EXIT_EQUAL = 0
EXIT_DIFFERENT = 1
EXIT_USAGE = 2

EPOCH = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 that the bill gives as its time; https://reproducible-builds.org/specs/source-date-epoch/."""

EXAMPLES = """\
  seedlock manifest                                    this environment
  seedlock manifest conference/repro-base > a.json     an image that the engine holds
  seedlock manifest --locks version-lock --text        what the locks say, without an image
  seedlock manifest --diff repro-base:2026.11 repro-base:2027.05
  seedlock manifest --diff a.json conference/repro-base --json

A and B of --diff are each a file that `seedlock manifest` wrote, a folder of locks, or an image.
An image's files are read in a container without a network. The same materials give the same
bytes; SOURCE_DATE_EPOCH adds a time.

exit status:
    0  the bill was written; with --diff: A and B are made of the same
    1  with --diff: they differ
    2  the command line is wrong, or the output can't be written
   78  no engine, no such image, not a repro-base, not a manifest, or a package is missing;
       docs/messages.md explains each message

docs/manifest.md has a sample and says what each hash is of.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subcommands.add_parser(
        "manifest",
        help="print a bill of materials of an image, or what changed between two",
        description="Print a bill of materials (CycloneDX 1.6 JSON): Debian and Python packages "
        "with hashes, the base image's digest, the locks' digests, the source revision.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "image", nargs="?", metavar="IMAGE",
        help="an image that the engine holds (default: the environment that this runs in); DOCKER "
        "names the engine's client",
    )  # fmt: skip
    source.add_argument(
        "--locks", metavar="DIR",
        help="a folder as version-lock/, or one of its locks of Python packages",
    )  # fmt: skip
    source.add_argument("--diff", nargs=2, metavar=("A", "B"), help="compare two")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON (default without --diff)")
    form.add_argument("--text", action="store_true", help="print lines (default with --diff)")
    parser.add_argument("--output", metavar="FILE", help="write to FILE, whole or not at all")
    parser.set_defaults(command=_manifest)


def _manifest(options: argparse.Namespace) -> int:
    from seedlock.evaluation.requirements import MANIFEST, OUTSIDE, require

    require(MANIFEST, OUTSIDE)
    epoch = os.environ.get(EPOCH) or None
    if epoch is not None and not (epoch.isdecimal() and len(epoch) <= LONGEST_EPOCH):
        return _refuse(f"{EPOCH} is '{epoch}'; allowed: seconds since 1970, decimal; unset it")
    if options.diff is not None:
        return _diff(options)
    from seedlock.evaluation import manifest_sources
    from seedlock.evaluation.bill_of_materials import text_of
    from seedlock.evaluation.manifest_text import lines

    if options.locks is not None:
        manifest = manifest_sources.of_locks(options.locks)
    elif options.image is not None:
        manifest = manifest_sources.of_image(os.environ, options.image)
    else:
        manifest = manifest_sources.of_environment(os.environ)
    if options.text:
        return _put(options.output, _printable(lines(manifest)))
    return _put(options.output, text_of(manifest, None if epoch is None else int(epoch)))


LONGEST_EPOCH = 11
"""Digits, up to the year 5138: a date has four."""


def _diff(options: argparse.Namespace) -> int:
    from seedlock.evaluation.manifest_diff import compare
    from seedlock.evaluation.manifest_sources import of_anything
    from seedlock.evaluation.manifest_text import lines_of_difference

    a, b = (of_anything(os.environ, given) for given in options.diff)
    difference = compare(a, b)
    status = EXIT_DIFFERENT if difference else EXIT_EQUAL
    if options.json:
        content = {
            "verdict": "different" if difference else "equal",
            "a": _subject(a),
            "b": _subject(b),
            **difference.as_dict(),
        }
        text = json.dumps(content, indent=1)
    else:
        text = _printable(lines_of_difference(a, b, difference))
    return _put(options.output, text) or status


def _subject(manifest: Manifest) -> dict[str, str]:
    return {"kind": manifest.kind, "name": manifest.name, "id": manifest.identity}


def _put(path: str | None, text: str) -> int:
    """Print the text, or write it to a file; return the exit status."""
    if path is None:
        print(text)
        return 0
    from seedlock.evaluation.writing import write_text

    try:
        write_text(path, f"{text}\n")
    except OSError as problem:
        return _refuse(
            f"--output {path}: {problem.strerror}; name a file in a folder that is there"
        )
    return 0


def _refuse(text: str) -> int:
    print(f"seedlock manifest: {text}", file=sys.stderr)
    return EXIT_USAGE


def _printable(lines: Iterable[str]) -> str:
    """Images are made by strangers: nothing in them moves the cursor."""
    return "\n".join(
        "".join(char if char.isprintable() else "?" for char in line) for line in lines
    )
