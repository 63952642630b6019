"""One digest for a file and one for a folder, which coreutils can compute too (docs/records.md).

A folder's is a tree of two levels: SHA-256 over the lines that `sha256sum` prints for its files.
The same construction as Go's `dirhash.Hash1` (golang.org/x/mod/sumdb/dirhash), but for the order,
which here is that of the bytes of the names.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

PREFIX = "sha256:"
CHUNK = 1 << 20
"""Bytes that are read at a time."""


class NotDigestible(ValueError):
    """A folder holds what its digest can't cover."""


@dataclass(frozen=True)
class Digested:
    """A file or folder as it was read.

    Attributes:
        digest: `sha256:` and 64 hexadecimal digits.
        size: bytes of all its files.
        files: digest of each file by its name below the folder; empty for a file.
        kind: `file` or `folder`.
    """

    digest: str
    size: int
    files: dict[str, str]
    kind: str


def digest_of(path: Path, advanced: Callable[[int], None] = lambda _: None) -> Digested:
    """Read a file, or a folder with all below it.

    Args:
        path: where it is; a link is followed.
        advanced: called with the number of bytes just read, for a progress bar.

    Raises:
        OSError: something can't be read, or is neither file nor folder.
        NotDigestible: a name has a line break or a backslash, which `sha256sum` would write in
            another way, or is no UTF-8; a link leads out of the folder; a device or a socket.
    """
    if not path.is_dir():
        digest, size = _file(path, advanced)
        return Digested(digest, size, {}, "file")
    files: dict[str, str] = {}
    total = 0
    for name, found in sorted(files_below(path), key=lambda item: os.fsencode(item[0])):
        files[name], size = _file(found, advanced)
        total += size
    return Digested(of_listing(files.items()), total, files, "folder")


def of_listing(files: Iterable[tuple[str, str]]) -> str:
    """Return a folder's digest from the names and digests of its files.

    Args:
        files: pairs of name and digest (`sha256:HEX`), in any order.
    """
    whole = hashlib.sha256()
    for name, digest in sorted(files, key=lambda item: os.fsencode(item[0])):
        whole.update(digest.removeprefix(PREFIX).encode() + b"  " + os.fsencode(name) + b"\n")
    return PREFIX + whole.hexdigest()


def check_name(name: str) -> None:
    """Make sure that a file's name can stand in a listing.

    Raises:
        NotDigestible: it can't.
    """
    try:
        plain = not {"\n", "\r", "\\", "\0"} & set(name) and bool(name.encode())
    except UnicodeEncodeError:
        plain = False
    if not plain:
        shown = name.encode(errors="backslashreplace").decode()
        raise NotDigestible(
            f"{shown!r}: allowed: names in UTF-8 without line break and backslash; rename it"
        )


def size_of(path: Path) -> int:
    """Return the bytes that `digest_of` will read, for a progress bar's whole.

    Raises:
        OSError, NotDigestible: as `digest_of`.
    """
    if not path.is_dir():
        return path.stat().st_size
    return sum(found.stat().st_size for _, found in files_below(path))


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name below a folder and the path of each file that counts, in no order.

    Raises:
        OSError, NotDigestible: as `digest_of`.
    """
    root = folder.resolve()
    for current, folders, names in os.walk(folder, onerror=_refuse):
        at = os.path.relpath(current, folder)
        for name in folders + names:
            path = folder / at / name
            shown = os.path.normpath(os.path.join(at, name))
            check_name(shown)
            if path.is_symlink():
                if not _end(path, shown).is_relative_to(root):
                    raise NotDigestible(
                        f"{shown}: a link that leads out of the folder; put the file there itself"
                    )
                if path.is_dir():
                    raise NotDigestible(
                        f"{shown}: a link to a folder; allowed: links to files; copy the folder"
                    )
            if name in names:
                yield shown, path


def _refuse(problem: OSError) -> None:
    """A folder that can't be listed is not an empty one."""
    raise problem


def _end(link: Path, shown: str) -> Path:
    try:
        return link.resolve()
    except RuntimeError:  # Python below 3.13
        raise NotDigestible(f"{shown}: a link that leads to itself; remove it") from None


def _file(path: Path, advanced: Callable[[int], None]) -> tuple[str, int]:
    if path.exists() and not path.is_file():
        raise NotDigestible(f"{path}: allowed: files and folders; this is neither")
    whole = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            whole.update(chunk)
            size += len(chunk)
            advanced(len(chunk))
    return PREFIX + whole.hexdigest(), size
