"""A disk without room ends every command alike: status 74 and one line that names the file.

`seedlock.cli.main` asks `no_room` about each OSError that a command lets through. The system names
the file in errors of opening it, but not in those of writing to it: whoever writes does so within
`naming(path)`.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedlock.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXIT_DISK_FULL = 74
"""EX_IOERR of sysexits.h."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The disk, the user's share of it, or the size one file may have (RLIMIT_FSIZE) is used up."""

LEFT_FREE = 1 << 30
"""Bytes that a download or an archive leaves free on a disk, or a fiftieth of a smaller one: what
comes from strangers must not stop everybody else on the machine."""


def require_room(path: Path, needed: int) -> None:
    """Make sure that a disk has room for what is to come.

    Args:
        path: the file or folder that will be written; its folder is there.
        needed: bytes, besides what is written already.

    Raises:
        OSError: there is not enough, as of a disk that is full; names `path`.
    """
    disk = os.statvfs(path.parent)
    left = min(LEFT_FREE, disk.f_blocks * disk.f_frsize // 50)
    free = max(0, disk.f_bavail * disk.f_frsize - left)
    if needed > free:
        said = f"{needed} bytes are needed and {free} free: {os.strerror(errno.ENOSPC)}"
        raise OSError(errno.ENOSPC, said, str(path))


def no_room(problem: OSError) -> bool:
    """Return whether this is a full disk and not another trouble."""
    return problem.errno in NO_ROOM


def told(problem: OSError) -> str:
    """Return the line for people."""
    # The second of two is the one that is written: of a copy, of a rename.
    names = [each for each in (problem.filename2, problem.filename) if isinstance(each, str)]
    name = names[0] if names else None
    where = "a file, or standard output," if name is None else f"'{printable(name, 300)}'"
    return f"seedlock: {where} can't be written: {problem.strerror}; make room and say it again"


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put `path` into an OSError that names no file.

    Raises:
        OSError: the one that was raised inside.
    """
    try:
        yield
    except OSError as problem:
        if problem.filename is None:
            problem.filename = str(path)
        raise
