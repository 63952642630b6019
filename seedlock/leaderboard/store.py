"""Files that were handed in, by the SHA-256 of their bytes; accepted ones survive any kill.

An upload is written below `tmp/`; once whole it is brought to the disk and renamed into
`files/ab/SHA256`, and the folder's names as well; then its row is written. Whoever dies between the
two leaves a file that no row names, and never a row without its file.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from seedlock.evaluation import full_disk
from seedlock.evaluation.writing import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES, TEMPORARY = "files", "tmp"

DIGEST = re.compile(r"[0-9a-f]{64}")


class TooLarge(Exception):
    """An upload has more bytes than it may have."""


class Store:
    """The files of a server, in folders that its start has made (application.prepare).

    Args:
        folder: the server's.
    """

    def __init__(self, folder: Path) -> None:
        self.files = folder / FILES
        self.temporary = folder / TEMPORARY

    def place(self, sha256: str) -> Path:
        """Return where a file is, or would be.

        Args:
            sha256: 64 hexadecimal digits.

        Raises:
            ValueError: it is another text.
        """
        if not DIGEST.fullmatch(sha256):
            raise ValueError(sha256)
        return self.files / sha256[:2] / sha256

    def remove(self, sha256: str) -> None:
        """Remove a file; nothing happens where there is none."""
        self.place(sha256).unlink(missing_ok=True)

    @contextmanager
    def upload(self, most: int) -> Iterator[Upload]:
        """Give a new upload; what was not kept is gone afterwards.

        Args:
            most: bytes that it may have.

        Raises:
            OSError: it can't be written.
        """
        upload = Upload(self, self.temporary / secrets.token_hex(16), most)
        try:
            yield upload
        finally:
            upload.discard()

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """Give the path of a new folder, not made yet, that is removed afterwards."""
        folder = self.temporary / secrets.token_hex(16)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Upload:
    """A file on its way.

    Args:
        store: where it goes.
        path: where it is written.
        most: bytes that it may have.

    Attributes:
        size: bytes so far.
    """

    def __init__(self, store: Store, path: Path, most: int) -> None:
        self._store = store
        self.path = path
        self._most = most
        self._hash = hashlib.sha256()
        self.size = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self.file = os.fdopen(os.open(path, flags, 0o600), "w+b")

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            TooLarge: there are more than it may have.
            OSError: they can't be written.
        """
        self.size += len(data)
        if self.size > self._most:
            raise TooLarge(f"more than {self._most} bytes")
        self._hash.update(data)
        with full_disk.naming(self.path):
            self.file.write(data)

    def keep(self) -> str:
        """Bring the file to its place, safe from a loss of power, and return its SHA-256.

        Raises:
            OSError: it can't be written.
        """
        place = self._store.place(self.sha256)
        new = not place.parent.exists()
        place.parent.mkdir(mode=0o700, exist_ok=True)
        self.move(place)
        if new:
            settle(place.parent.parent)
        return self.sha256

    def move(self, place: Path, over: bool = True, settled: bool = True) -> None:
        """Bring the file to a place of the same disk, safe from a loss of power.

        Args:
            place: its folder is there.
            over: replace what is there.
            settled: else the caller settles its folder.

        Raises:
            FileExistsError: something is there and may not be replaced.
            OSError: it can't be written.
        """
        with full_disk.naming(self.path):
            self.file.flush()
            os.fsync(self.file.fileno())
        if over:
            os.rename(self.path, place)
        else:
            os.link(self.path, place)  # unlike a rename, never over another
            os.unlink(self.path)
        if settled:
            settle(place.parent)

    def discard(self) -> None:
        """Close it and remove what was not moved."""
        with suppress(OSError):  # a full disk, which was said before
            self.file.close()
        self.path.unlink(missing_ok=True)
