"""The folder in which fetched data lies, by its digest, on the organiser's or author's machine.

sha256/HEX           a file or folder with this digest (as `digest_of` makes it), read-only
partial/KEY.part     a download that was cut off, to be resumed; KEY is of its source
partial/KEY.new      what is being copied or unpacked
partial/KEY.lock     held by the one process that fetches this source
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seedlock import settings
from seedlock.evaluation.data import sources
from seedlock.evaluation.file_digests import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedlock.evaluation.data.data_lock import DataSet

FILE_MODE = 0o444
FOLDER_MODE = 0o555
"""Of what lies in the cache: a program can't write its own files beside the data, and a container's
user can read it."""


class Partial(NamedTuple):
    """Where what is not there yet grows.

    Attributes:
        part: file for a download, kept when it is cut off.
        new: file or folder for a copy or for what is unpacked; not there at first.
    """

    part: Path
    new: Path


class Cache:
    """A cache in a folder, which is made when something is fetched.

    Args:
        folder: an absolute path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, data: DataSet) -> Path:
        """Return where a set lies or will lie: where it is mounted, else here by its digest."""
        if sources.scheme(data.source) == "mount":
            return sources.local(data.source, data.beside)
        return self.place_of(data.digest)

    def place_of(self, digest: str) -> Path:
        """Return where what has the digest (`sha256:HEX`) lies or will lie."""
        return self.folder / "sha256" / digest.removeprefix(PREFIX)

    @contextmanager
    def alone(self, source: str, waiting: Callable[[], None]) -> Iterator[Partial]:
        """Give the places for fetching a source to one process at a time.

        The lock ends with the process, however that ends, and its file stays: who removes a lock's
        file takes it from whoever waits for it.

        Args:
            source: what is fetched.
            waiting: called if another process has them.

        Raises:
            OSError: the folder can't be made or written.
        """
        folder = self.folder / "partial"
        folder.mkdir(parents=True, exist_ok=True)
        key = hashlib.sha256(source.encode()).hexdigest()[:32]
        number = os.open(folder / f"{key}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(number, fcntl.LOCK_EX)
            partial = Partial(folder / f"{key}.part", folder / f"{key}.new")
            discard(partial.new)
            try:
                yield partial
            finally:
                discard(partial.new)
        finally:
            os.close(number)

    def keep(self, found: Path, digest: str) -> Path:
        """Move what was verified to its place and make it read-only.

        Where another process was first, from another source, its equal copy stays.

        Raises:
            OSError: it can't be moved.
        """
        place = self.place_of(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        _settle(found)
        try:
            found.rename(place)
        except OSError:
            if not place.exists():
                raise
            discard(found)
        # A folder without write permission could not have been moved.
        place.chmod(FOLDER_MODE if place.is_dir() else FILE_MODE)
        _sync(place.parent)
        return place


def default(environ: Mapping[str, str]) -> Cache:
    """Return the user's cache: REPRO_DATA_CACHE, else `seedlock/data` in the user's cache folder
    (XDG Base Directory Specification)."""
    given = environ.get(settings.DATA_CACHE)
    if given:
        return Cache(Path(given).absolute())
    base = environ.get("XDG_CACHE_HOME", "")
    # The specification: a relative one counts as unset.
    home = Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()
    return Cache(home / "seedlock" / "data")


def discard(path: Path) -> None:
    """Remove a file or a folder of ours, if it is there."""
    if path.is_dir() and not path.is_symlink():
        for current, _, _ in os.walk(path):
            os.chmod(current, 0o700)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Bring all of it to the disk and make it read-only, but for the uppermost folder."""
    if not path.is_dir():
        _sync(path)
        path.chmod(FILE_MODE)
        return
    for current, folders, names in os.walk(path):
        for name in names:
            Path(current, name).chmod(FILE_MODE)
        for name in folders:
            Path(current, name).chmod(FOLDER_MODE)
    # At once: a data set may have a million files, and one fsync takes about a millisecond.
    os.sync()


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
