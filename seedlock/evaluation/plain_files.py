"""Files that a program left, read without trust.

A pipe of the program's would keep its reader for ever, a link to /dev/zero would fill its memory:
only plain files are opened, and only as much as such a file may hold is read.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_plain(path: Path) -> bool:
    """Tell whether a plain file is there itself: no link, pipe, socket, device or folder."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read_plain(path: Path, largest: int) -> bytes:
    """Return a plain file's bytes.

    Args:
        path: where it is; no link is followed.
        largest: bytes that it may hold.

    Raises:
        OSError: it is not there, can't be read, is no plain file (EINVAL), or holds more (EFBIG).
    """
    handle = os.open(path, _FLAGS)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no plain file", str(path))
        if found.st_size > largest:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read(largest)
