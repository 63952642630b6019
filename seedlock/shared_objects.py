"""The shared objects that are loaded in this process, and where a variable of one lies in memory.

A variable that a C++ library keeps to itself is not in its dynamic symbols, which the loader reads,
but in its full symbol table, where the file still has one (System V ABI, "Symbol Table").
"""

from __future__ import annotations

import mmap
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ELF64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SYMTAB, _DYNSYM = 2, 11


def loaded(part: str) -> list[str]:
    """Return the paths of the loaded files whose name holds `part`, in order."""
    return sorted(path for path in _bases() if part in os.path.basename(path))


def variables(path: str, *names: bytes) -> list[tuple[int, int]]:
    """Return address and size, both in bytes, of variables of a loaded file.

    Args:
        path: one of `loaded`.
        names: the variables' names as the linker knows them.

    Returns:
        One pair per name, or an empty list if one is missing.

    Raises:
        OSError: the file can't be read.
    """
    base = _bases()[path]
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[:6] != _ELF64_LITTLE_ENDIAN:
            return []
        for symbols, texts in _tables(content):
            found = [_symbol(content, symbols, texts, name) for name in names]
            if all(found):
                return [(base + each[0], each[1]) for each in found if each is not None]
    return []


def _bases() -> dict[str, int]:
    """Return where each mapped file begins in memory."""
    bases: dict[str, int] = {}
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            place, _, path = line.rstrip("\n").partition("/")
            fields = place.split()
            if path and int(fields[2], 16) == 0:
                bases.setdefault(f"/{path}", int(fields[0].split("-")[0], 16))
    return bases


def _tables(content: mmap.mmap) -> Iterator[tuple[range, range]]:
    """Yield the places of the symbols and of their names, the full table first."""
    (offset,) = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    sections = [_SECTION.unpack_from(content, offset + number * size) for number in range(count)]
    for kind in (_SYMTAB, _DYNSYM):
        for section in sections:
            if section[1] == kind:
                texts = sections[section[6]]
                yield (
                    range(section[4], section[4] + section[5]),
                    range(texts[4], texts[4] + texts[5]),
                )


def _symbol(
    content: mmap.mmap, symbols: range, texts: range, name: bytes
) -> tuple[int, int] | None:
    # A table has near a million entries: find() looks through it in 20 ms, a loop in a second.
    text = content.find(b"\0" + name + b"\0", texts.start, texts.stop)
    if text < 0:
        return None
    wanted = struct.pack("<I", text + 1 - texts.start)
    place = content.find(wanted, symbols.start, symbols.stop)
    while place >= 0:
        if (place - symbols.start) % _SYMBOL.size == 0:
            _, _, _, section, value, size = _SYMBOL.unpack_from(content, place)
            if section:  # 0: it lies in another file
                return value, size
        place = content.find(wanted, place + 1, symbols.stop)
    return None
