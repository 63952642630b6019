"""A bundle as a tar archive (POSIX.1-2017, pax), compressed by gzip (RFC 1952).

Header blocks are made here and not by `tarfile`, whose bytes differ between versions of Python.
Who reads compares each block with the one that must stand there: no link, device, second name or
unknown extension can be in an archive that is accepted.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from seedlock.errors import BadBundle, printable
from seedlock.evaluation.replaying import manifest
from seedlock.evaluation.replaying.manifest import ALLOWED, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

BLOCK = 512
CHUNK = 1 << 20
LEVEL = 6
GZIP = bytes.fromhex("1f8b08000000000000ff")
"""Deflate, no name, no time, system unknown."""

PAX, PLAIN = b"x", b"0"


class Writer:
    """An archive on its way.

    Args:
        file: where to write.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = self._size = 0
        file.write(GZIP)

    def add(self, entry: Entry, chunks: Iterable[bytes]) -> None:
        """Add a file, of which `chunks` give `entry.size` bytes."""
        self._put(headers(entry))
        for chunk in chunks:
            self._put(chunk)
        self._put(bytes(-entry.size % BLOCK))

    def finish(self) -> None:
        """Write the end."""
        self._put(bytes(2 * BLOCK))
        self._file.write(self._packed.flush())
        self._file.write(self._crc.to_bytes(4, "little"))
        self._file.write((self._size & 0xFFFFFFFF).to_bytes(4, "little"))

    def _put(self, data: bytes) -> None:
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._file.write(self._packed.compress(data))


class Reader:
    """An archive, read from its beginning to its end.

    Args:
        file: where it is.

    Raises:
        BadBundle: by each method, where something else stands than a bundle has there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._ready = b""
        file.seek(0)
        if file.read(len(GZIP)) != GZIP:
            raise BadBundle(f"the archive's beginning was changed; {ALLOWED}")
        file.seek(0)

    def manifest(self, largest: int = manifest.LARGEST_MANIFEST) -> bytes:
        """Return the manifest's text, which comes first and has at most so many bytes."""
        block = self._take(BLOCK, manifest.FILE)
        digits = block[124:135]
        size = int(digits, 8) if digits.isdigit() and b"8" not in digits and b"9" not in digits \
            else largest + 1  # fmt: skip
        entry = Entry(manifest.FILE, size, "")
        if size > largest or headers(entry) != block:
            raise _other(manifest.FILE, block)
        return b"".join(self._content(entry))

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the content of the next file, which must be this one."""
        expected = headers(entry)
        found = self._take(len(expected), entry.name)
        if found != expected:
            raise _other(entry.name, found)
        yield from self._content(entry)

    def finish(self) -> None:
        """Make sure that nothing stands behind the last file."""
        rest = self._take(2 * BLOCK, "the archive's end")
        behind = (
            self._read(1, "the archive's end") or self._inflate.unused_data or self._file.read(1)
        )
        if any(rest) or behind or not self._inflate.eof:
            shown = _name_in(rest)
            raise BadBundle(f"{shown or 'something'} stands behind the last file; {ALLOWED}")

    def _content(self, entry: Entry) -> Iterator[bytes]:
        left = entry.size
        while left:
            data = self._take(min(left, CHUNK), entry.name)
            left -= len(data)
            yield data
        if any(self._take(-entry.size % BLOCK, entry.name)):
            raise BadBundle(f"{printable(entry.name, 200)} is followed by bytes; {ALLOWED}")

    def _take(self, size: int, name: str) -> bytes:
        data = self._read(size, name)
        if len(data) < size:
            raise BadBundle(f"{printable(name, 200)} is cut off; {ALLOWED}")
        return data

    def _read(self, size: int, name: str) -> bytes:
        parts = []
        while size and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(CHUNK)
            try:
                data = self._inflate.decompress(packed, size)
            except zlib.error as problem:
                raise BadBundle(
                    f"the archive is damaged at {printable(name, 200)}: {problem}; {ALLOWED}"
                ) from problem
            if not packed and not data:
                break
            size -= len(data)
            parts.append(data)
        return b"".join(parts)


def headers(entry: Entry) -> bytes:
    """Return the header blocks of a file: with one for its name where that is no short ASCII."""
    name = entry.name.encode()
    if len(name) <= 100 and name.isascii():
        return _block(name, entry.size, PLAIN, entry.executable)
    record = b" path=%b\n" % name
    size = len(record)
    while size != len(b"%d%b" % (size, record)):
        size = len(b"%d%b" % (size, record))
    body = b"%d%b" % (size, record)
    long = _block(b"PaxHeaders/name", len(body), PAX, False) + body + bytes(-len(body) % BLOCK)
    short = b"".join(bytes([byte]) if 32 <= byte < 127 else b"_" for byte in name[:100])
    return long + _block(short, entry.size, PLAIN, entry.executable)


def _block(name: bytes, size: int, kind: bytes, executable: bool) -> bytes:
    """Return one ustar header: no owner, no time."""
    fields = (
        name.ljust(100, b"\0"), b"0000755\0" if executable else b"0000644\0", b"0000000\0",
        b"0000000\0", b"%011o\0" % size, b"%011o\0" % 0, b" " * 8, kind, bytes(100),
        b"ustar\x0000", bytes(64), b"0000000\0", b"0000000\0", bytes(155), bytes(12),
    )  # fmt: skip
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _other(name: str, block: bytes) -> BadBundle:
    shown = _name_in(block)
    kind = {b"1": "a hard link", b"2": "a link", b"3": "a device", b"4": "a device",
            b"5": "a folder", b"6": "a pipe"}.get(block[156:157], "another entry")  # fmt: skip
    return BadBundle(
        f"{printable(name, 200)}: {kind}{f' {shown!r}' if shown else ''} stands in its place; "
        f"{ALLOWED}"
    )


def _name_in(block: bytes) -> str:
    name = block[:100].rstrip(b"\0")
    return printable(name.decode(errors="replace"), 100)
