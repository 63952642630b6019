"""Bring a declared set into the cache, verified before it gets its place there.

fetch()  -> Cache.alone()  one process per source
         -> _arrived()     downloaded, copied, unpacked: below partial/
         -> digest_of()    against the data.lock
         -> Cache.keep()   read-only, by its digest
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Protocol

from seedlock.errors import DataMismatch, DataUnavailable, printable
from seedlock.evaluation.data import archives, sources
from seedlock.evaluation.data.archives import BadArchive, unpack
from seedlock.evaluation.data.caching import discard
from seedlock.evaluation.data.downloading import download
from seedlock.evaluation.data.verifying import expect
from seedlock.evaluation.file_digests import NotDigestible, digest_of, files_below, size_of
from seedlock.evaluation.full_disk import naming, require_room

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.data.caching import Cache, Partial
    from seedlock.evaluation.data.data_lock import DataSet
    from seedlock.evaluation.file_digests import Digested


class Watcher(Protocol):
    """Who is told how far it is."""

    def begin(self, what: str, whole: int | None) -> None:
        """A step begins: what it does, and bytes of all of it, or None."""

    def advance(self, count: int) -> None:
        """Bytes came; negative where they were dropped again."""


class Silence:
    """A watcher that says nothing."""

    def begin(self, what: str, whole: int | None) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""


def fetch(data: DataSet, cache: Cache, watcher: Watcher | None = None) -> Path:
    """Make sure that a set lies where `cache.place` says, and return that place.

    What lies there already is read, not trusted. A set to be mounted is only looked at.

    Raises:
        DataMismatch: what came, or lies there, is not what `data` says. What lies there stays.
        DataUnavailable: nothing came.
        OSError: a file can't be read or written.
    """
    watcher = watcher or Silence()
    place = cache.place(data)
    if place.exists() or sources.scheme(data.source) == "mount":
        return _verified(data, place, watcher)
    with cache.alone(data.source, lambda: watcher.begin("waiting for another process", None)) as to:
        if place.exists():
            return _verified(data, place, watcher)
        while True:
            resumed = to.part.exists()
            try:
                arrived = _arrived(data.source, data.kind, data.beside, data.size, to, watcher)
                _compare(data, arrived, watcher)
            except DataMismatch:
                # What was there of an earlier download may be of another file.
                discard(to.part)
                discard(to.new)
                if not resumed:
                    raise
            else:
                place = cache.keep(arrived, data.digest)
                discard(to.part)
                return place


def take(
    source: str, kind: str | None, beside: Path, cache: Cache, watcher: Watcher | None = None
) -> Digested:
    """Return digest, size and kind of a source that no data.lock has yet.

    What was downloaded stays in the cache, so that a fetch finds it there.

    Args:
        source: a source that `sources.check` has seen.
        kind: `file` or `folder`; None takes a folder of this machine as one, all else as a file.
        beside: folder that relative paths start from.
        cache: where downloads go.
        watcher: who is told.

    Raises:
        DataMismatch: an archive can't be unpacked, or the kind is not what is there.
        DataUnavailable, OSError: as `fetch`.
    """
    watcher = watcher or Silence()
    if sources.scheme(source) in sources.LOCAL:
        found = _digested(_existing(sources.local(source, beside), source), watcher)
        if kind not in (None, found.kind):
            raise DataMismatch(f"{printable(source, 200)}: expected a {kind}, got a {found.kind}")
        return found
    with cache.alone(source, lambda: watcher.begin("waiting for another process", None)) as to:
        try:
            arrived = _arrived(source, kind or "file", beside, None, to, watcher)
            found = _digested(arrived, watcher)
        except DataMismatch:
            discard(to.part)
            raise
        cache.keep(arrived, found.digest)
        discard(to.part)
    return found


def _arrived(
    source: str, kind: str, beside: Path, size: int | None, to: Partial, watcher: Watcher
) -> Path:
    """Return where a source lies now, below partial/, not verified yet."""
    if sources.scheme(source) in sources.LOCAL:
        return _copied(_existing(sources.local(source, beside), source), kind, to.new, watcher)
    whole = size if kind == "file" else None
    watcher.begin("downloading", whole)
    most = None if size is None else archives.largest(size)
    download(source, to.part, whole, watcher.advance, most)
    ending = sources.archive(source)
    if kind == "file":
        return to.part
    assert ending is not None
    watcher.begin("unpacking", size)
    try:
        unpack(to.part, ending, to.new, size, watcher.advance)
    except BadArchive as problem:
        raise DataMismatch(f"{sources.shown(source)}: {problem}") from None
    return to.new


def _copied(path: Path, kind: str, new: Path, watcher: Watcher) -> Path:
    found = "folder" if path.is_dir() else "file"
    if found != kind:
        raise DataMismatch(f"{printable(str(path), 200)}: expected a {kind}, got a {found}")
    pairs = [(new, path)]
    try:
        size = size_of(path)
        watcher.begin("copying", size)
        require_room(new, size)
        if kind == "folder":
            pairs = [(new / name, each) for name, each in files_below(path)]
            new.mkdir()
    except NotDigestible as problem:
        raise DataMismatch(f"{printable(str(path), 200)}: {problem}") from None
    for target, each in pairs:
        if not each.is_file():
            raise DataMismatch(f"{printable(str(each), 200)}: allowed: files and folders")
        target.parent.mkdir(parents=True, exist_ok=True)
        with naming(target):
            shutil.copyfile(each, target)
        watcher.advance(target.stat().st_size)
    return new


def _existing(path: Path, source: str) -> Path:
    if not path.exists():
        raise DataUnavailable(
            f"{printable(source, 200)}: {printable(str(path), 200)} is not there; put it there, or "
            "mend `from` in data.lock"
        )
    if not (path.is_dir() or path.is_file()):
        raise DataUnavailable(f"{printable(source, 200)}: allowed: a file or a folder")
    return path


def _verified(data: DataSet, place: Path, watcher: Watcher) -> Path:
    if not place.exists():
        _existing(place, data.source)
    try:
        _compare(data, place, watcher)
    except DataMismatch as problem:
        if sources.scheme(data.source) == "mount":
            raise
        where = printable(str(place), 300)
        raise DataMismatch(f"{problem.args[0]}; remove {where} to fetch it again") from None
    return place


def _compare(data: DataSet, path: Path, watcher: Watcher) -> None:
    watcher.begin("verifying", data.size)
    expect(data, path, watcher.advance)


def _digested(path: Path, watcher: Watcher) -> Digested:
    try:
        watcher.begin("reading", size_of(path))
        return digest_of(path, watcher.advance)
    except NotDigestible as problem:
        raise DataMismatch(f"{printable(str(path), 200)}: {problem}") from None
