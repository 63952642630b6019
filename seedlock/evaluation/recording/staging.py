"""What a sealed run sees as its source: a copy of the files of the digest, and nothing else.

A folder holds more than its digest covers: what git ignores, caches of Python, repositories within.
A run that read those would have results that its record does not explain, and what a library opens
in C is seen by nobody (reads.py). So they are not there.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedlock.evaluation.data.caching import discard
from seedlock.evaluation.file_digests import CHUNK, PREFIX, NotDigestible
from seedlock.evaluation.full_disk import naming

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedlock.evaluation.recording.source import Source

NAME = "source"
"""The copy's name in the folder of the run's artifacts; it is removed after the run."""


@contextmanager
def staged(source: Source | None, into: Path) -> Iterator[Path | None]:
    """Give the folder with the copy for as long as the block lasts; None where there is no source.

    Raises:
        NotDigestible, OSError: as `stage`.
    """
    if source is None:
        yield None
        return
    try:
        stage(source, into)
        yield into
    finally:
        discard(into)


def stage(source: Source, into: Path) -> None:
    """Copy the source's files into a new folder, readable for all.

    A link to a file becomes the file, as in the digest; a link to a folder of the source stays one.

    Raises:
        NotDigestible: a file is not what it was when the digest was made.
        OSError: a file can't be read or written.
    """
    into.mkdir(mode=0o755, parents=True)
    into.chmod(0o755)
    for name, digest in source.files.items():
        target = into / name
        _make(target.parent, into)
        with naming(target):
            found = _copied(source.folder / name, target)
        if found != digest:
            raise NotDigestible(f"{name} was changed while it was read")
    for name in source.links:
        target = into / name
        _make(target.parent, into)
        target.symlink_to(os.readlink(source.folder / name))


def _make(folder: Path, into: Path) -> None:
    if folder != into and not folder.is_dir():
        _make(folder.parent, into)
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask


def _copied(path: Path, target: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file, target.open("xb") as copy:
        while data := file.read(CHUNK):
            whole.update(data)
            copy.write(data)
        target.chmod(0o755 if os.fstat(file.fileno()).st_mode & 0o111 else 0o644)
    return PREFIX + whole.hexdigest()
