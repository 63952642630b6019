"""Unpack an archive that nobody vouches for: only its folder's digest is known, afterwards.

So nothing of it decides where something is written: files and folders with plain names below the
folder, no links, no devices, no owners or modes, no file twice; no more bytes than declared, than
an honest archive has or than the disk has room for; no more files and folders than `MOST`. This is
stricter than tarfile's `data` filter, which lets links within the folder pass and had holes there
(CVE-2025-4330, CVE-2025-4517), and than zipfile, which mends bad names silently.
"""

from __future__ import annotations

import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from seedlock.errors import printable
from seedlock.evaluation.file_digests import CHUNK, NotDigestible, check_name
from seedlock.evaluation.full_disk import naming, require_room

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path
    from typing import IO


MOST = 5_000_000
"""Files and folders in an archive; the largest of the usual sets have some millions."""

DEEPEST = 100
"""Folders within each other."""

RATIO = 200
FROM = 1 << 30
"""Where nobody declared a size: how many times its own size an archive may have unpacked, from so
many bytes on. Text becomes ten times smaller; deflate may reach 1032 (zlib.net, "Technical
Details")."""

OFTEN = 16 << 20
"""Bytes between two looks at the free disk."""

BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What zipfile and tarfile raise for files that are none, or are damaged; NotImplementedError is
zipfile's word for ways of compression and encryption that Python lacks."""


UNPACKED = "unpack it yourself and name the folder as file:PATH"


class BadArchive(Exception):
    """An archive can't be read, or holds what is not unpacked."""


class _Entry(NamedTuple):
    name: str
    is_folder: bool
    open: Callable[[], IO[bytes] | None]


def unpack(
    archive: Path,
    ending: str,
    into: Path,
    size: int | None,
    advanced: Callable[[int], None] = lambda _: None,
) -> None:
    """Unpack an archive into a folder, which is made.

    Args:
        archive: the file.
        ending: one of `sources.ARCHIVES`; says how it is read.
        into: the folder; it must not be there. It stays, half full, when this fails.
        size: bytes that all files have as declared, or None.
        advanced: called with the number of bytes that were unpacked.

    Raises:
        BadArchive: it can't be read, or holds what is not unpacked.
        OSError: a file can't be written, or the disk has no room for all of them.
    """
    into.mkdir()
    bound = _Bound(archive, into, size)
    entries = _zipped(archive) if ending == ".zip" else _tarred(archive)
    with closing(entries):
        for entry in entries:
            bound.entry()
            path = _path(into, entry.name)
            if entry.is_folder:
                _make(path, into)
                continue
            _make(path.parent, into)
            for count in _write(entry, path, bound):
                advanced(count)


def largest(size: int) -> int:
    """Return how many bytes an archive may have whose files have `size`: what can't be packed stays
    as large, and names and headers take the rest, of a million files too."""
    return 2 * size + FROM


class _Bound:
    """How much an archive may become, and how much it is by now."""

    def __init__(self, archive: Path, into: Path, size: int | None) -> None:
        self._into = into
        self._size = size
        self._packed = archive.stat().st_size
        self._entries = self._written = self._looked = 0
        require_room(into, size or 0)

    def entry(self) -> None:
        """Count a file or a folder."""
        self._entries += 1
        if self._entries > MOST:
            raise BadArchive(f"it holds more than {MOST} files and folders; {UNPACKED}")

    def count(self, more: int) -> None:
        """Count bytes, before they are written."""
        self._written += more
        if self._size is not None and self._written > self._size:
            raise BadArchive(f"it unpacks to more than the {self._size} bytes that are declared")
        if self._size is None and self._written > max(FROM, RATIO * self._packed):
            raise BadArchive(f"it unpacks to more than {RATIO} times its size; {UNPACKED}")
        if self._written - self._looked >= OFTEN:
            self._looked = self._written
            require_room(self._into, more)


def _zipped(path: Path) -> Generator[_Entry]:
    with _readable(), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.flag_bits & 1:
                raise BadArchive(f"{_shown(info.filename)} is encrypted")
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _not_plain(info.filename)
            # orig_filename: zipfile cuts the other at a zero byte.
            yield _Entry(info.orig_filename, info.is_dir(), partial(archive.open, info))


def _tarred(path: Path) -> Generator[_Entry]:
    with _readable(), _Gzip(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for info in archive:
            if not (info.isreg() or info.isdir()):
                raise _not_plain(info.name)
            yield _Entry(info.name, info.isdir(), partial(archive.extractfile, info))


class _Gzip(gzip.GzipFile):
    """Reads a long name or an extended header only up to a sane size: tarfile takes them into
    memory whole, and zeros are a thousand times smaller when compressed."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= 2 * CHUNK:
            raise BadArchive(f"it can't be read: a header of {size} bytes")
        return super().read(size)


@contextmanager
def _readable() -> Iterator[None]:
    """Turn what the libraries raise for a broken archive into one error."""
    try:
        yield
    except BROKEN as problem:
        raise _unreadable(problem) from None
    except OSError as problem:
        if problem.errno is not None:  # else of gzip or bz2, and not the system's
            raise
        raise _unreadable(problem) from None


def _write(entry: _Entry, path: Path, bound: _Bound) -> Iterator[int]:
    """Write a file and yield how many bytes each of its pieces has."""
    try:
        with _readable():
            source = entry.open()
        assert source is not None
        with naming(path), source, path.open("xb", buffering=0) as file:
            while chunk := _read(source):
                bound.count(len(chunk))
                rest = memoryview(chunk)
                while rest:
                    rest = rest[file.write(rest) :]
                yield len(chunk)
    except (FileExistsError, IsADirectoryError):
        raise BadArchive(f"{_shown(entry.name)} is in it twice") from None


def _read(source: IO[bytes]) -> bytes:
    with _readable():
        return source.read(CHUNK)


def _path(into: Path, name: str) -> Path:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise BadArchive(f"{_shown(name)} leads out of the folder")
    if len(parts) > DEEPEST:
        raise BadArchive(f"{_shown(name)} is more than {DEEPEST} folders deep")
    try:
        check_name(name)
    except NotDigestible as problem:
        raise BadArchive(str(problem)) from None
    return into.joinpath(*parts)


def _make(folder: Path, into: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        name = folder.relative_to(into)
        raise BadArchive(f"{_shown(str(name))} is a file and a folder in it") from None


def _not_plain(name: str) -> BadArchive:
    return BadArchive(
        f"{_shown(name)} is a link or a device; allowed: files and folders; {UNPACKED}"
    )


def _unreadable(problem: Exception) -> BadArchive:
    return BadArchive(f"it can't be read: {printable(str(problem) or type(problem).__name__, 100)}")


def _shown(name: str) -> str:
    return f"'{printable(name, 100)}'"
