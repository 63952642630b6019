"""`seedlock data`: declare, fetch, verify and list what a submission reads."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedlock.evaluation.data.caching import Cache
    from seedlock.evaluation.data.data_lock import DataSet
    from seedlock.evaluation.data.fetch_progress import Bar

EXIT_GOOD = 0
EXIT_MISMATCH = 1
EXIT_USAGE = 2

STATUSES = """\
exit status:
    0  all sets are there and are what data.lock says
    1  one is not what it says, is not there, or can't be had
    2  the command line is wrong
   74  a disk is full
   78  data.lock can't be read or holds what is not allowed
  130  interrupted; a download goes on at the next fetch

docs/data.md has the format of data.lock and samples.
"""


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = _parser(
        subcommands, "data", "declare, fetch and verify what a submission reads",
        "Pin data and weights by digest in data.lock, fetch them into a cache, and verify them.",
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    adding = _parser(
        commands, "add", "declare a set in data.lock, with the digest of what is there now",
        "Read a file or folder, downloading it into the cache if it is not of this machine, and "
        "append a table with its digest to data.lock.",
    )  # fmt: skip
    adding.add_argument("name", metavar="NAME", help="what a run finds it by: /data/NAME")
    adding.add_argument(
        "source", metavar="FROM",
        help="https://…, file:PATH, mount:PATH (used where it lies), or a path, taken as file:",
    )  # fmt: skip
    adding.add_argument(
        "--licence", default="unknown", metavar="SPDX",
        help="SPDX expression, as CC-BY-4.0 (default: unknown)",
    )  # fmt: skip
    adding.add_argument(
        "--kind", choices=("file", "folder"),
        help="folder: unpack a .tar.gz, .tgz or .zip that is downloaded (default: file, or what "
        "is there)",
    )  # fmt: skip
    adding.set_defaults(command=_add)
    for name, about, command in (
        ("fetch", "bring sets into the cache, each verified before it gets its place", _fetch),
        ("verify", "read sets again and compare them with data.lock", _verify),
    ):
        each = _parser(commands, name, about, f"{about[0].upper()}{about[1:]}.")
        each.add_argument("names", nargs="*", metavar="NAME", help="sets (default: all)")
        each.set_defaults(command=command)
        if name == "verify":
            each.add_argument(
                "--at", metavar="DIR",
                help="a folder that has each set under its name (default: the cache)",
            )  # fmt: skip
    listing = _parser(
        commands, "list", "print what is declared, and whether the cache has it",
        "Print what data.lock declares, and whether it lies in the cache. Nothing is verified.",
    )  # fmt: skip
    listing.set_defaults(command=_list)
    for each in (adding, *(commands.choices[name] for name in ("fetch", "verify", "list"))):
        each.add_argument(
            "--lock", default="data.lock", metavar="FILE", help="default: data.lock, here"
        )
        each.add_argument("--json", action="store_true", help="print JSON")


def _parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, text: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=about, description=textwrap.fill(text, 80), epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def _add(options: argparse.Namespace) -> int:
    cache = _ready()
    from seedlock.evaluation.data import data_lock, sources
    from seedlock.evaluation.data.fetching import take

    lock = Path(options.lock)
    if not data_lock.check_name(options.name):
        return _refuse(f"NAME '{options.name}'; allowed: {data_lock.NAMES}")
    licence = data_lock.check_licence(options.licence)
    if licence is None:
        return _refuse(f"--licence '{options.licence}'; allowed: {data_lock.LICENCES}")
    source = options.source
    if not os.path.isdir(lock.parent):
        return _refuse(f"--lock {lock}: there is no such folder")
    beside = Path(os.path.abspath(lock)).parent
    known = (*sources.LOCAL, "https", "http")
    if ":" not in source or (sources.scheme(source) not in known and os.path.exists(source)):
        # As seen from the lock, so that both can be moved together.
        absolute = os.path.isabs(source)
        source = sources.from_path(source if absolute else os.path.relpath(source, beside))
    try:
        sources.check(source)
    except sources.BadSource as problem:
        return _refuse(f"FROM: {problem}; allowed: {sources.ALLOWED}")
    remote = sources.scheme(source) not in sources.LOCAL
    if remote and options.kind == "folder" and sources.archive(source) is None:
        return _refuse(
            f"FROM {sources.shown(source)} is no archive; allowed with --kind folder: "
            f"{', '.join(sources.ARCHIVES)}"
        )
    if lock.exists() and options.name in {data.name for data in data_lock.declared(lock)}:
        return _refuse(f"{options.name} is in {lock} already; take its table out first")

    def carry_out(bar: Bar) -> DataSet:
        found = take(source, options.kind, beside, cache, bar.of(options.name))
        data = data_lock.DataSet(
            options.name, found.digest.removeprefix("sha256:"), found.kind, found.size, licence,
            source, beside,
        )  # fmt: skip
        data_lock.add(lock, data)
        return data

    data, trouble = _attempt(carry_out)
    if data is None:
        _tell(str(trouble))
        return EXIT_MISMATCH
    if sources.has_secret(source):
        _tell("note: the address has a password or a query, and stands in data.lock as it is")
    if options.json:
        print(json.dumps({"lock": str(lock), "added": _described(data, cache)}, indent=1))
    else:
        print(_plain(f"{data.name}: {data.kind} of {data.size} bytes, {data.digest}, in {lock}"))
    return EXIT_GOOD


def _fetch(options: argparse.Namespace) -> int:
    cache = _ready()
    from seedlock.evaluation.data.fetching import fetch

    def one(data: DataSet, bar: Bar) -> Path:
        return fetch(data, cache, bar)

    return _each(options, cache, one)


def _verify(options: argparse.Namespace) -> int:
    cache = _ready()
    from seedlock.errors import DataMismatch, DataUnavailable
    from seedlock.evaluation.data.verifying import below, check

    where = cache.place if options.at is None else below(Path(options.at).absolute())

    def one(data: DataSet, bar: Bar) -> Path:
        bar.begin("verifying", data.size)
        (state,) = check([data], where, bar.advance)
        if state["problem"] is not None:
            raise (DataMismatch if where(data).exists() else DataUnavailable)(state["problem"])
        return where(data)

    return _each(options, cache, one)


def _list(options: argparse.Namespace) -> int:
    cache = _ready()
    from seedlock.evaluation.data.data_lock import declared

    sets = [_described(data, cache) for data in declared(Path(options.lock))]
    if options.json:
        print(json.dumps({"lock": options.lock, "sets": sets}, indent=1))
        return EXIT_GOOD
    columns = ("name", "kind", "size", "licence", "there", "from")
    rows = [columns, *(tuple(_cell(each[column]) for column in columns) for each in sets)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(columns))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print(_plain("  ".join(text.ljust(width) for text, width in cells).rstrip()))
    return EXIT_GOOD


def _each(options: argparse.Namespace, cache: Cache, one: Callable[[DataSet, Bar], Path]) -> int:
    """Do something with each set that was asked for; a trouble with one does not stop the next."""
    from seedlock.evaluation.data.data_lock import declared

    sets = declared(Path(options.lock))
    unknown = sorted({*options.names} - {data.name for data in sets})
    if unknown:
        known = ", ".join(data.name for data in sets) or "none"
        return _refuse(f"{unknown[0]} is not in {options.lock}; allowed: {known}")
    results: list[dict[str, Any]] = []
    for data in sets:
        if options.names and data.name not in options.names:
            continue

        def carry_out(bar: Bar, data: DataSet = data) -> Path:
            return one(data, bar.of(data.name))

        place, problem = _attempt(carry_out)
        if problem is not None and not problem.startswith(f"{data.name}: "):
            problem = f"{data.name}: {problem}"
        results.append(
            {**_described(data, cache), "verified": place is not None, "problem": problem,
             "path": None if place is None else str(place)}
        )  # fmt: skip
        if problem is not None:
            _tell(problem)
        elif not options.json:
            print(_plain(f"{data.name}: verified, {data.size} bytes, {place}"), flush=True)
    if options.json:
        print(json.dumps({"lock": options.lock, "sets": results}, indent=1))
    return EXIT_GOOD if all(each["verified"] for each in results) else EXIT_MISMATCH


def _attempt(carry_out: Callable[[Bar], Any]) -> tuple[Any, str | None]:
    """Return what `carry_out` returns, or the line about why it did not.

    Raises:
        OSError: a disk is full, which the command line answers alike for all commands.
        BadDataLock: as well.
    """
    from rich.console import Console

    from seedlock.errors import DataMismatch, DataUnavailable
    from seedlock.evaluation import full_disk
    from seedlock.evaluation.data.fetch_progress import Bar

    try:
        with Bar(Console(stderr=True)) as bar:
            return carry_out(bar), None
    except (DataMismatch, DataUnavailable) as problem:
        return None, str(problem)
    except OSError as problem:
        if full_disk.no_room(problem):
            raise
        return None, f"{problem.filename or 'a file'}: {problem.strerror or type(problem).__name__}"


def _described(data: DataSet, cache: Cache) -> dict[str, Any]:
    from seedlock.evaluation.data import sources

    return {
        "name": data.name, "sha256": data.sha256, "kind": data.kind, "size": data.size,
        "licence": data.licence, "from": sources.shown(data.source),
        "there": cache.place(data).exists(),
    }  # fmt: skip


def _ready() -> Cache:
    from seedlock.evaluation.data.caching import default
    from seedlock.evaluation.requirements import DATA, require

    require(DATA)
    return default(os.environ)


def _cell(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _plain(text: str) -> str:
    """Paths and servers' words are strangers': nothing in them moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _tell(text: str) -> None:
    print(_plain(f"seedlock data: {text}"), file=sys.stderr)


def _refuse(problem: str) -> int:
    _tell(problem)
    return EXIT_USAGE
