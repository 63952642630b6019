"""What was read from files that seldom change, kept until they do.

Published files are replaced whole, by a rename: inode, size and time tell versions apart.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Read = TypeVar("Read")


class FileCache(Generic[Read]):
    """The last files that were read in one way.

    Args:
        read: from a file's path to what is kept; nobody may change it.
        most: files that are kept.
    """

    def __init__(self, read: Callable[[Path], Read], most: int = 16) -> None:
        self._read = read
        self._most = most
        self._kept: OrderedDict[Path, tuple[tuple[int, int, int], Read]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path) -> Read:
        """Return what stands in a file now.

        Raises:
            OSError: it is not there; and whatever `read` raises.
        """
        status = path.stat()
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._kept.get(path)
            if known is not None and known[0] == version:
                self._kept.move_to_end(path)
                return known[1]
        found = self._read(path)
        with self._lock:
            self._kept[path] = (version, found)
            self._kept.move_to_end(path)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found
