"""A folder that is replaced as a whole: who looks sees the old one or the new one."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedlock.errors import BadExport, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EXCHANGE = 2
"""RENAME_EXCHANGE of renameat2(2)."""

AT_FDCWD = -100

UNABLE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
"""What a kernel or a filesystem says that can't exchange."""


@contextmanager
def replacing(folder: Path, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give an empty folder beside `folder`, which takes its place when the block ends well.

    Where the block fails, or the process is killed, the old folder is untouched; what was made so
    far is removed now, or by the next one.

    Args:
        folder: absolute; need not be there.
        ours: whether a folder that is there may be replaced.

    Raises:
        BadExport: it may not, or another process is at it.
        OSError: the folder can't be made or moved.
    """
    shown = printable(str(folder), 200)
    empty = folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
    if os.path.lexists(folder) and not empty and (folder.is_symlink() or not ours(folder)):
        raise BadExport(
            f"{shown} is there and no exported board; allowed: a new folder, or an earlier export, "
            "which is replaced; name another"
        )
    new, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    if old.is_dir() and not folder.exists():  # killed between two renames
        os.rename(old, folder)
    new.mkdir(parents=True, exist_ok=True)
    handle = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise BadExport(
                f"another export into {shown} goes on; allowed: one at a time; wait for its end"
            ) from problem
        _clear(new)
        try:
            yield new
            _settle(new)
            _take_place(new, folder, old)
        finally:
            if new.exists():  # what failed, or was replaced
                shutil.rmtree(new)
        _sync(folder.parent)
    finally:
        os.close(handle)


def _clear(folder: Path) -> None:
    for each in folder.iterdir():
        shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()


def _take_place(new: Path, folder: Path, old: Path) -> None:
    if not os.path.lexists(folder):
        os.rename(new, folder)
        return
    if _exchange(new, folder):
        return
    # For a moment there is neither, where the filesystem knows no exchange.
    if old.exists():
        shutil.rmtree(old)
    os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once; return whether that was possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    words = (AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)
    if libc.renameat2(*words) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNABLE:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _settle(folder: Path) -> None:
    """Have the names in a folder survive a loss of power; its files were synchronised before."""
    for current, _, _ in os.walk(folder):
        _sync(current)


def _sync(folder: Path | str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
