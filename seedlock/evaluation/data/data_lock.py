"""`data.lock`: which data a submission reads (docs/records.md#data)."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadDataLock, printable
from seedlock.evaluation.data import sources
from seedlock.evaluation.writing import write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1
LARGEST = 1 << 20
"""Bytes of a data.lock; thousands of sets fit in."""

KINDS = ("file", "folder")
KEYS = ("sha256", "kind", "size", "licence", "from")
UNKNOWN = "unknown"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NAMES = "1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit"
"""Names become names of files below the data folder."""

LICENCES = (
    "an SPDX expression of at most 200 characters, as CC-BY-4.0 or LicenseRef-NAME (spdx.org), "
    "or unknown"
)
LONGEST_LICENCE = 200


@dataclass(frozen=True)
class DataSet:
    """One declared set.

    Attributes:
        name: what a run finds it by, a plain name.
        sha256: 64 hexadecimal digits, of the file or of the folder's listing (file_digests.py).
        kind: `file` or `folder`.
        size: bytes of all its files.
        licence: SPDX expression or `unknown`.
        source: where it comes from; may hold secrets: show it through `sources.shown`.
        beside: folder that relative paths in `source` start from.
    """

    name: str
    sha256: str
    kind: str
    size: int
    licence: str
    source: str
    beside: Path = field(default=Path(), compare=False)

    @property
    def digest(self) -> str:
        """As records and `digest_of` write it."""
        return f"sha256:{self.sha256}"


def declared(lock_path: Path) -> list[DataSet]:
    """Return the sets that a lock file declares, in its order.

    Raises:
        BadDataLock: it can't be read, or holds anything that is not allowed.
    """
    return _sets(lock_path, _text(lock_path))


def add(lock_path: Path, data: DataSet) -> None:
    """Append a set to a lock file, which is made if it is not there.

    What stands there stays as it is, comments too. Two commands that add at the same time come
    one after the other.

    Raises:
        BadDataLock: the file is bad, has the name already, or `data` is not allowed; nothing was
            changed.
        OSError: it can't be written; nothing was changed.
    """
    # The file itself, where the name is a link: a rename would replace the link.
    path = Path(os.path.realpath(lock_path))
    with _alone(path.parent):
        before = _text(lock_path) if path.exists() else f"version = {VERSION}\n"
        existing = _sets(lock_path, before)
        _refuse_twins(lock_path, [*(each.name for each in existing), data.name])
        text = before.rstrip("\n") + "\n\n" + _table(data)
        if _sets(lock_path, text) != [*existing, data]:
            raise BadDataLock(
                f"{_shown(lock_path)}: can't be added to; write [data.NAME] tables, not an inline "
                "table"
            )
        write_text(str(path), text)


def check_name(name: str) -> bool:
    """Return whether a set may have the name."""
    return re.fullmatch(NAME, name) is not None


def check_licence(given: str) -> str | None:
    """Return a licence in SPDX's own spelling, or None where it is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if given == UNKNOWN:
        return given
    if len(given) > LONGEST_LICENCE or not given.isascii() or not given.isprintable():
        return None
    try:
        return str(canonicalize_license_expression(given))
    except InvalidLicenseExpression:
        return None


def _text(path: Path) -> str:
    if not path.exists():
        raise BadDataLock(
            f"{_shown(path)}: not there; name it with --lock, or make it with seedlock data add"
        )
    if not path.is_file():
        raise BadDataLock(f"{_shown(path)}: allowed: a file; name it with --lock")
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise BadDataLock(f"{_shown(path)}: allowed: at most {LARGEST} bytes")
        return raw.decode()
    except OSError as problem:
        raise BadDataLock(f"{_shown(path)}: {problem.strerror}; name another by --lock") from None
    except UnicodeDecodeError as problem:
        raise BadDataLock(
            f"{_shown(path)}: byte {problem.start} is no UTF-8; allowed: TOML; mend the file"
        ) from None


def _sets(path: Path, text: str) -> list[DataSet]:
    where = _shown(path)
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise BadDataLock(f"{where}: nested too deeply; mend the file") from None
    except ValueError as problem:  # TOMLDecodeError, and integers of more digits than int takes
        why = printable(str(problem), 120)
        raise BadDataLock(f"{where}: no TOML: {why}; mend the file") from None
    version = content.get("version")
    if type(version) is not int or version != VERSION:
        raise BadDataLock(
            f"{where}: version is {_told(version)}; allowed: {VERSION}; a later seedlock may know "
            "more"
        )
    _refuse_others(where, content, {"version", "data"})
    tables = content.get("data", {})
    if not isinstance(tables, dict):
        raise BadDataLock(f"{where}: data is {_told(tables)}; allowed: tables [data.NAME]")
    _refuse_twins(path, list(tables))
    beside = Path(os.path.abspath(path)).parent
    return [_set(where, name, table, beside) for name, table in tables.items()]


def _set(where: str, name: str, table: Any, beside: Path) -> DataSet:
    if not check_name(name):
        raise BadDataLock(f"{where}: the name '{printable(name)}'; allowed: {NAMES}; rename it")
    where = f"{where}: data.{name}"
    if not isinstance(table, dict):
        raise BadDataLock(f"{where} is {_told(table)}; allowed: a table [data.{name}]")
    _refuse_others(where, table, set(KEYS))
    for key in KEYS:
        if key not in table:
            raise BadDataLock(f"{where}: {key} is missing; allowed: all of {', '.join(KEYS)}")
    sha256, kind, size, licence, source = (table[key] for key in KEYS)
    if not (isinstance(sha256, str) and re.fullmatch(r"[0-9a-f]{64}", sha256)):
        raise _bad(where, "sha256", sha256, "64 hexadecimal digits in small letters")
    if kind not in KINDS or not isinstance(kind, str):
        raise _bad(where, "kind", kind, " or ".join(KINDS))
    if type(size) is not int or not 0 <= size < 1 << 63:
        raise _bad(where, "size", size, "a number of bytes, 0 or more")
    spelled = check_licence(licence) if isinstance(licence, str) else None
    if spelled is None:
        raise _bad(where, "licence", licence, LICENCES)
    _check_source(where, kind, source)
    return DataSet(name, sha256, kind, size, spelled, source, beside)


def _check_source(where: str, kind: str, source: Any) -> None:
    # What was given is not told: it may hold a password.
    if not isinstance(source, str):
        raise BadDataLock(f"{where}: from is no text; allowed: {sources.ALLOWED}")
    try:
        sources.check(source)
    except sources.BadSource as problem:
        raise BadDataLock(f"{where}: from: {problem}; allowed: {sources.ALLOWED}") from None
    remote = sources.scheme(source) not in sources.LOCAL
    if kind == "folder" and remote and sources.archive(source) is None:
        raise BadDataLock(
            f"{where}: from {printable(sources.shown(source), 200)} is of kind folder; allowed: "
            f"addresses that end in {', '.join(sources.ARCHIVES)}"
        )


def _refuse_others(where: str, table: dict[str, Any], known: set[str]) -> None:
    others = sorted(table.keys() - known)
    if others:
        raise BadDataLock(
            f"{where}: unknown key '{printable(others[0])}'; allowed: {', '.join(sorted(known))}; "
            "take it out"
        )


def _refuse_twins(path: Path, names: list[str]) -> None:
    # Not only what TOML takes for the same: where case does not count, they would be one file.
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise BadDataLock(
                f"{_shown(path)}: two sets named '{printable(name)}'; allowed: names that differ "
                "in more than case; rename one, or take its table out"
            )
        seen.add(name.lower())


def _bad(where: str, key: str, given: Any, allowed: str) -> BadDataLock:
    return BadDataLock(f"{where}: {key} is {_told(given)}; allowed: {allowed}")


def _told(value: Any) -> str:
    if isinstance(value, str):
        return f"'{printable(value, 70)}'"
    if isinstance(value, (bool, float)) or (isinstance(value, int) and value.bit_length() < 100):
        return str(value)
    return "missing" if value is None else f"a {type(value).__name__}"


def _shown(path: Path) -> str:
    return printable(str(path), 200)


def _table(data: DataSet) -> str:
    """All texts are printable ASCII, in which JSON and TOML write a string alike."""
    name = data.name if "." not in data.name else json.dumps(data.name)
    values = (data.sha256, data.kind, data.size, data.licence, data.source)
    lines = (f"{key} = {json.dumps(value)}" for key, value in zip(KEYS, values, strict=True))
    return "\n".join((f"[data.{name}]", *lines)) + "\n"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
