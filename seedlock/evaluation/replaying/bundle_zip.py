"""A bundle as a ZIP archive (APPNOTE.TXT 6.3.3).

Who reads compares each header with the one that must stand there, and takes nothing that lies
between, before or behind the files: an archive that programs read in two ways is not accepted.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from seedlock.errors import BadBundle, printable
from seedlock.evaluation.replaying import manifest
from seedlock.evaluation.replaying.manifest import ALLOWED, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

CHUNK = 1 << 20
LARGEST = (2 << 30) - 1
MOST = 65_534
"""Bytes of the archive, and files in it: more needs ZIP64, which this is not."""

NEVER = (1980, 1, 1, 0, 0, 0)
"""The format's first moment."""

_LOCAL = struct.Struct("<4s2B4HL2L2H")
_CENTRAL = 46
_END = struct.Struct("<4s4H2LH")
"""A file's own header; bytes of one in the directory; the archive's end (APPNOTE 4.3.7 to 16)."""

BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError, EOFError,
    RuntimeError, OSError, IndexError,
)  # fmt: skip
"""What zipfile raises for damaged archives; NotImplementedError for those of other programs."""


class Writer:
    """An archive on its way.

    Args:
        file: where to write.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._count = 0

    def add(self, entry: Entry, chunks: Iterable[bytes]) -> None:
        """Add a file, of which `chunks` give `entry.size` bytes.

        Raises:
            BadBundle: the archive becomes too large.
        """
        info = _info(entry)
        info.file_size = entry.size
        self._count += 1
        if entry.size > LARGEST or self._file.tell() > LARGEST or self._count > MOST:
            raise BadBundle(
                f"{printable(entry.name, 200)}: too much for .zip; allowed: {LARGEST} bytes and "
                f"{MOST} files; say -o FILE.tar.gz"
            )
        with self._archive.open(info, "w") as member:
            for chunk in chunks:
                member.write(chunk)

    def finish(self) -> None:
        """Write the end."""
        self._archive.close()


class Reader:
    """An archive, read from its beginning to its end.

    Args:
        file: where it is.

    Raises:
        BadBundle: by each method, where something else stands than a bundle has there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._offset = 0
        self._next = 0
        size = file.seek(0, 2)
        file.seek(max(0, size - _END.size))
        end = file.read(_END.size)
        try:
            mark, disk, first, here, count, length, start, comment = _END.unpack(end)
        except struct.error as problem:
            raise BadBundle(f"the archive is cut off; {ALLOWED}") from problem
        whole = start + length + _END.size == size and here == count
        whole = whole and not (disk or first or comment)
        if mark != b"PK\5\6" or not whole or count > MOST + 1 or length > manifest.LARGEST_MANIFEST:
            raise BadBundle(f"the archive's end was changed; {ALLOWED}")
        self._start = start
        try:
            self._archive = zipfile.ZipFile(file)
        except BROKEN as problem:
            raise _damaged(problem) from problem
        self._infos = self._archive.infolist()
        names = sum(len(each.orig_filename.encode(errors="replace")) for each in self._infos)
        if len(self._infos) != count or _CENTRAL * count + names != length:
            raise BadBundle(f"the archive's directory was changed; {ALLOWED}")

    def manifest(self, largest: int = manifest.LARGEST_MANIFEST) -> bytes:
        """Return the manifest's text, which comes first and has at most so many bytes."""
        size = self._infos[0].file_size if self._infos else 0
        if size > largest:
            raise BadBundle(f"{manifest.FILE} has {size} bytes; {ALLOWED}")
        return b"".join(self.chunks(Entry(manifest.FILE, size, "")))

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the content of the next file, which must be this one."""
        if self._next == len(self._infos):
            raise BadBundle(f"{printable(entry.name, 200)} is not in the archive; {ALLOWED}")
        info = self._infos[self._next]
        self._next += 1
        name = printable(entry.name, 200)
        expected = _info(entry)
        expected.file_size = entry.size
        expected.CRC, expected.compress_size = info.CRC, info.compress_size
        expected.header_offset = self._offset
        expected.flag_bits = 0 if entry.name.isascii() else 0x800
        for key in (
            "orig_filename", "file_size", "header_offset", "date_time", "compress_type", "comment",
            "extra", "create_system", "create_version", "extract_version", "reserved", "flag_bits",
            "volume", "internal_attr", "external_attr",
        ):  # fmt: skip
            if getattr(info, key) != getattr(expected, key):
                found = printable(info.orig_filename, 100)
                raise BadBundle(
                    f"{name}: another entry {found!r} stands in its place, with another {key}; "
                    f"{ALLOWED}"
                )
        local = expected.FileHeader(zip64=False)
        self._file.seek(self._offset)
        if self._file.read(len(local)) != local:
            raise BadBundle(f"{name}: its header was changed; {ALLOWED}")
        self._offset += len(local) + info.compress_size
        yield from self._content(entry, info, name)

    def finish(self) -> None:
        """Make sure that nothing stands behind the last file."""
        if self._next < len(self._infos):
            name = printable(self._infos[self._next].orig_filename, 200)
            raise BadBundle(f"{name} is in the archive and not in {manifest.FILE}; {ALLOWED}")
        if self._offset != self._start:
            raise BadBundle(f"bytes stand behind the last file; {ALLOWED}")

    def _content(self, entry: Entry, info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        left, packed_left, crc = entry.size, info.compress_size, 0
        at = self._offset - info.compress_size
        packed = b""
        while not inflate.eof:
            if not packed and packed_left:
                self._file.seek(at)
                packed = self._file.read(min(CHUNK, packed_left))
                at, packed_left = at + len(packed), packed_left - len(packed)
            try:
                data = inflate.decompress(packed, CHUNK)
            except zlib.error as problem:
                raise _damaged(problem, name) from problem
            if not data and not packed and not inflate.eof:
                break
            packed = inflate.unconsumed_tail
            left -= len(data)
            crc = zlib.crc32(data, crc)
            if left < 0:
                break
            if data:
                yield data
        if left or packed_left or inflate.unused_data or not inflate.eof or crc != info.CRC:
            raise BadBundle(f"{name} is not what its header says; {ALLOWED}")


def _info(entry: Entry) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(entry.name, NEVER)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = (0o100755 if entry.executable else 0o100644) << 16
    return info


def _damaged(problem: Exception, name: str = "the archive") -> BadBundle:
    text = printable(str(problem), 120)
    return BadBundle(f"{name} is damaged: {text or type(problem).__name__}; {ALLOWED}")
