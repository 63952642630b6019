"""How much a folder takes that somebody is writing to."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 512
"""Bytes in a unit of `st_blocks` (inode(7))."""

ENTRY = 256
"""Bytes that an entry counts at least: an inode (ext4's default). Many empty files fill a disk."""


HIDDEN = (errno.EACCES, errno.ENAMETOOLONG)
"""Of what whoever writes to the folder can keep others from looking at."""


def size_of(folder: Path) -> int:
    """Return the bytes that a folder takes with all below it; links are not followed.

    A file counts with its size, or with what it takes on the disk if that is more, so that
    neither a sparse file nor many small ones pass as little. What vanishes meanwhile counts
    nothing.

    Raises:
        OSError: a part of it can't be looked at, for its mode or since its path is too long.
    """
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    total += max(_size(entry), ENTRY)
        except OSError as problem:
            if problem.errno in HIDDEN:
                raise
    return total


def _size(entry: os.DirEntry[str]) -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError as problem:
        if problem.errno in HIDDEN:
            raise
        return 0
    return max(found.st_size, found.st_blocks * BLOCK)
