"""A disk without room ends every command alike: status 74 and one line that names the file. So does
a file or folder that is not there, or that may not be read or written.

`seedlock.cli.main` asks about each OSError that a command lets through: a traceback would end it
with status 1, which says of several commands that something was changed. The system names the file
in errors of opening it, but not in those of writing to it: whoever writes does so within
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

OF_A_PATH = frozenset({
    errno.EACCES, errno.EBUSY, errno.EEXIST, errno.EIO, errno.EISDIR, errno.ELOOP,
    errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EPERM, errno.EROFS,
    errno.ESTALE,
})  # fmt: skip
"""Troubles of a path that somebody named, or of the disk behind it, and of no program."""

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


def of_a_path(problem: OSError) -> bool:
    """Return whether a path, which is named, can't be used."""
    return problem.errno in OF_A_PATH and bool(_names(problem))


def told(problem: OSError) -> str:
    """Return the line for people about a disk or a path."""
    names = _names(problem)
    where = f"'{printable(names[0], 300)}'" if names else "a file, or standard output,"
    if not no_room(problem):
        return (
            f"seedlock: {where} can't be used: {problem.strerror}; allowed: a path that this user "
            "may read and write; mend the path, or who may do what there"
        )
    return f"seedlock: {where} can't be written: {problem.strerror}; make room and say it again"


def _names(problem: OSError) -> list[str]:
    """Return the paths that an error names; the second of two is the one that is written: of a
    copy, of a rename."""
    named = (problem.filename2, problem.filename)
    return [os.fsdecode(each) for each in named if isinstance(each, (str, bytes, os.PathLike))]


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
