"""What a bundle holds: names, sizes and digests of its files, and which names there may be."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadBundle, printable
from seedlock.evaluation.file_digests import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = "seedlock-bundle"
VERSION = 1
"""History: 1, the first."""

FILE = "manifest.json"
"""The first file of a bundle."""

RECORD = "record.json"
SOURCE, LOCK, ARTIFACTS, DATA = "source/", "lock/", "artifacts/", "data/"

MOST_FILES = 100_000
MOST_BYTES = 64 << 30
LARGEST_FILE = (8 << 30) - 1
"""Bytes; the size's field in a tar archive has 11 octal digits (POSIX.1-2017, pax)."""
LARGEST_MANIFEST = 64 << 20
LARGEST_RECORD = 64 << 20
LONGEST_NAME = 1024
LONGEST_PART = 255
"""Bytes of a name, and of one part of it (NAME_MAX of Linux)."""

_DIGEST = re.compile(re.escape(PREFIX) + "[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """A file of a bundle.

    Attributes:
        name: its path in the bundle, `/` between parts.
        size: bytes.
        sha256: `sha256:HEX`.
        executable: whether it may be started, as a script in the source.
    """

    name: str
    size: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True)
class Manifest:
    """The files of a bundle, in the order of their names' bytes, without the manifest."""

    files: tuple[Entry, ...]

    def below(self, folder: str) -> dict[str, str]:
        """Return the digest of each file below a folder (`source/`) by its name there."""
        return {
            each.name.removeprefix(folder): each.sha256
            for each in self.files
            if each.name.startswith(folder)
        }

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.files)


def manifest_of(entries: Iterable[Entry]) -> Manifest:
    """Return the manifest of files.

    Raises:
        BadBundle: a name or a size is not allowed.
    """
    files = tuple(sorted(entries, key=lambda each: each.name.encode(errors="surrogateescape")))
    _check(files)
    return Manifest(files)


def encoded(manifest: Manifest) -> bytes:
    """Return a manifest as the one text that stands for it."""
    files = {
        each.name: {"executable": each.executable, "sha256": each.sha256, "size": each.size}
        for each in manifest.files
    }
    content = {"files": files, "format": FORMAT, "version": VERSION}
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decoded(raw: bytes) -> Manifest:
    """Return the manifest that a text stands for.

    Raises:
        BadBundle: it is none, or not written as `encoded` writes it.
    """
    try:
        content = json.loads(raw)
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise BadBundle(
                f"{FILE} has format {printable(str(content['format']))}, version "
                f"{printable(str(content['version']))}; allowed: {FORMAT}, {VERSION}"
            )
        found = manifest_of(_entries(content["files"]))
        same = encoded(found) == raw
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadBundle(f"{FILE} is not what seedlock bundle writes; {ALLOWED}") from problem
    if not same:
        raise BadBundle(f"{FILE} was changed: it is not as seedlock bundle writes it; {ALLOWED}")
    return found


ALLOWED = "allowed: a bundle as seedlock bundle wrote it; get it again from where it came"


def _entries(files: dict[str, Any]) -> Iterator[Entry]:
    for name, of in files.items():
        fits = type(of["size"]) is int and of["size"] >= 0 and type(of["executable"]) is bool
        if not fits or not _DIGEST.fullmatch(of["sha256"]):
            raise BadBundle(f"{FILE} says nothing usable of {printable(name, 200)}; {ALLOWED}")
        yield Entry(name, of["size"], of["sha256"], of["executable"])


def _check(files: tuple[Entry, ...]) -> None:
    if len(files) > MOST_FILES:
        raise BadBundle(f"a bundle of {len(files)} files; allowed: {MOST_FILES}")
    seen: dict[str, str] = {}
    total = 0
    for each in files:
        _check_name(each.name)
        parts = each.name.split("/")
        total += each.size
        largest = LARGEST_RECORD if each.name == RECORD else LARGEST_FILE
        if each.size > largest or total > MOST_BYTES:
            raise BadBundle(
                f"{printable(each.name, 200)} has {each.size} bytes; allowed: {largest} in a "
                f"file, {MOST_BYTES >> 30} GiB in all; leave large data out"
            )
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            kind = "file" if depth == len(parts) else "folder"
            # Folders of other systems hold one of two names that differ in case or composition.
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())
            known = seen.setdefault(folded, f"{kind} {part}")
            if known != f"{kind} {part}":
                raise BadBundle(
                    f"{printable(part, 200)} and {printable(known, 200)} have one name where case "
                    "does not count; allowed: names that differ; rename one"
                )


def _check_name(name: str) -> None:
    parts = name.split("/")
    try:
        long = len(name.encode()) > LONGEST_NAME
        long = long or any(len(part.encode()) > LONGEST_PART for part in parts)
        plain = not long and "\\" not in name and name.isprintable()
    except UnicodeEncodeError:
        plain = False
    inside = name == RECORD or name.startswith((SOURCE, LOCK, ARTIFACTS, DATA))
    if not plain or not inside or any(part in ("", ".", "..") for part in parts):
        raise BadBundle(
            f"{printable(name, 200)!r} is no name for a file of a bundle; allowed: printable "
            f"names of {LONGEST_NAME} bytes below {SOURCE}, {LOCK}, {ARTIFACTS} and {DATA}, "
            "without .. and backslash"
        )
