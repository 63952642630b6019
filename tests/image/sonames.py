"""Print the shared libraries below /opt and /usr as JSON: soname, path, size; runs in the image.

Reads the dynamic section itself (System V ABI, chapters 4 and 5): the image has no binutils.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys

LOAD, DYNAMIC = 1, 2
"""Types of program headers."""

END, STRINGS, SONAME = 0, 5, 14
"""Tags of the dynamic section."""


def soname(data: mmap.mmap) -> str | None:
    """Return the soname of a 64-bit little-endian library; None where it has none."""
    if data[:6] != b"\x7fELF\x02\x01":
        return None
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, table + size * i) for i in range(count)]
    loads = [
        (virtual, offset, length) for kind, _, offset, virtual, _, length in headers if kind == LOAD
    ]
    dynamic = next(
        ((offset, length) for kind, _, offset, _, _, length in headers if kind == DYNAMIC), None
    )
    if dynamic is None:
        return None
    entries: dict[int, int] = {}
    for place in range(dynamic[0], sum(dynamic), 16):
        tag, value = struct.unpack_from("<QQ", data, place)
        if tag == END:
            break
        entries[tag] = value
    if SONAME not in entries or STRINGS not in entries:
        return None
    strings = entries[STRINGS]
    for virtual, offset, length in loads:
        if virtual <= strings < virtual + length:
            begin = strings - virtual + offset + entries[SONAME]
            return data[begin : data.find(b"\0", begin)].decode()
    return None


def libraries(root: str) -> list[tuple[str, str, int]]:
    """Return soname, path and size of each library below `root`, links left out."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if ".so" not in name or os.path.islink(path) or not os.path.getsize(path):
                continue
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
                own = soname(data)
            if own is not None:
                found.append((own, path, os.path.getsize(path)))
    return found


if __name__ == "__main__":
    print(json.dumps([each for root in sys.argv[1:] for each in libraries(root)]))
