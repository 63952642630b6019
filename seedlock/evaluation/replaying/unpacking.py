"""A bundle on this machine: checked from end to end before anything is written.

Two passes over one open file. The first compares everything with the manifest and the manifest
with the record; the second compares again and writes, so that a file that changes in between is
found as well.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadBundle, BadRecord, printable
from seedlock.evaluation.file_digests import PREFIX, of_listing
from seedlock.evaluation.recording.record import parse
from seedlock.evaluation.recording.source import LISTING
from seedlock.evaluation.replaying import bundle_tar, bundle_zip
from seedlock.evaluation.replaying.manifest import (
    ALLOWED,
    ARTIFACTS,
    DATA,
    LARGEST_MANIFEST,
    LOCK,
    RECORD,
    SOURCE,
    Manifest,
    decoded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

LOCK_FILE = f"{LOCK}repro-lock.txt"
OUTPUTS = f"{ARTIFACTS}run/output/"

READERS: dict[bytes, type[bundle_tar.Reader | bundle_zip.Reader]] = {
    b"\x1f\x8b": bundle_tar.Reader,
    b"PK": bundle_zip.Reader,
}
"""By the archive's first bytes."""

KEPT = (RECORD, f"{ARTIFACTS}{LISTING}")
"""Files that are looked into before anything is written."""


@dataclass(frozen=True)
class Unpacked:
    """A bundle whose files are here.

    Attributes:
        folder: where.
        content: its record.
        known: names of the source's files; None where the record has no source.
    """

    folder: Path
    content: dict[str, Any]
    known: frozenset[str] | None


def is_bundle(path: Path) -> bool:
    """Tell whether a file begins as an archive does."""
    try:
        with path.open("rb") as file:
            return file.read(2) in READERS
    except OSError:
        return False


def unpack(
    path: Path, folder: Path, advanced: Callable[[int, int], None] = lambda _, __: None
) -> Unpacked:
    """Check a bundle and write its files below a folder.

    Args:
        path: the bundle.
        folder: a new folder; made if the bundle is whole.
        advanced: called with the bytes done so far and those to do.

    Raises:
        BadBundle: it is no bundle, or was changed; nothing was written, but where it changed
            while it was read: then what was written is removed.
        OSError: it can't be read, or a file can't be written.
    """
    with path.open("rb") as file:
        found = manifest_in(file)
        done = 0

        def counted(chunks: Iterator[bytes]) -> Iterator[bytes]:
            nonlocal done
            for data in chunks:
                done += len(data)
                advanced(done, 2 * found.size)
                yield data

        kept: dict[str, bytes] = {}
        for name, chunks in files_of(file, found):
            for data in counted(chunks):
                if name in KEPT:
                    kept[name] = kept.get(name, b"") + data
        content = _record(kept)
        against_record(found, content, kept.get(KEPT[1], b""))
        _refuse_without_room(found.size, folder)
        folder.mkdir(parents=True)
        whole = False
        try:
            executable = {each.name for each in found.files if each.executable}
            for name, chunks in files_of(file, found):
                write_file(folder / name, counted(chunks), name in executable)
            whole = True
        finally:
            if not whole:
                shutil.rmtree(folder, ignore_errors=True)
    with suppress(FileExistsError):
        (folder / SOURCE).mkdir()
    known = None if content["source"] is None else frozenset(found.below(SOURCE))
    return Unpacked(folder, content, known)


def against_record(found: Manifest, content: Mapping[str, Any], listing: bytes) -> None:
    """Compare the digests of a bundle's files with those in its record.

    Args:
        found: the manifest.
        content: the record.
        listing: the source's digests as the recorded run noted them.

    Raises:
        BadBundle: a file is not what was recorded; names it.
    """
    source = found.below(SOURCE)
    expected = content["source"]["digest"] if content["source"] else of_listing(())
    if of_listing(source.items()) != expected:
        if PREFIX + hashlib.sha256(listing).hexdigest() == expected:
            text = listing.decode(errors="replace")
            lines = [line.partition("  ") for line in text.splitlines()]
            _refuse_others(SOURCE, {name: PREFIX + value for value, _, name in lines}, source)
        raise BadBundle(f"{SOURCE} is not the source that was recorded; {ALLOWED}")
    outputs = {each["path"]: each["sha256"] for each in content.get("outputs", ())}
    _refuse_others(OUTPUTS, outputs, found.below(OUTPUTS))
    lock = content.get("lock")
    here = {each.name: each.sha256 for each in found.files}
    if LOCK_FILE in here and (not lock or here[LOCK_FILE] != PREFIX + lock["sha256"]):
        raise BadBundle(f"{LOCK_FILE} is not the lock that was recorded; {ALLOWED}")
    sets = {each["name"]: each["sha256"] for each in content.get("data", ())}
    below = found.below(DATA)
    for name in sorted({name.split("/")[0] for name in below}):
        files = {
            each.removeprefix(f"{name}/"): digest
            for each, digest in below.items()
            if each.startswith(f"{name}/")
        }
        digest = of_listing(files.items()) if files else below[name]
        if sets.get(name) != digest:
            raise BadBundle(
                f"{DATA}{printable(name, 200)} is not the data that was recorded; {ALLOWED}"
            )


def _refuse_others(folder: str, expected: Mapping[str, str], got: Mapping[str, str]) -> None:
    for name in sorted({*expected, *got}):
        if expected.get(name) != got.get(name):
            raise BadBundle(f"{printable(folder + name, 200)} is not what was recorded; {ALLOWED}")


def manifest_in(file: BinaryIO, largest: int = LARGEST_MANIFEST) -> Manifest:
    """Return the manifest of a bundle, without a look at its files.

    Args:
        file: the bundle.
        largest: bytes that its manifest may have; no more is read into memory.

    Raises:
        BadBundle: it is no bundle, or its beginning was changed.
    """
    return decoded(_reader(file).manifest(largest))


def _reader(file: BinaryIO) -> bundle_tar.Reader | bundle_zip.Reader:
    file.seek(0)
    kind = READERS.get(file.read(2))
    if kind is None:
        raise BadBundle(f"it is neither a .tar.gz nor a .zip; {ALLOWED}")
    return kind(file)


def files_of(file: BinaryIO, found: Manifest) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each file's name and content, compared with the manifest; read each to its end.

    Args:
        file: the bundle.
        found: what `manifest_in` returned for it.

    Raises:
        BadBundle: something else stands there than the manifest says.
    """
    reader = _reader(file)
    if decoded(reader.manifest()) != found:
        raise BadBundle(f"the bundle changed while it was read; {ALLOWED}")
    for entry in found.files:
        yield entry.name, _verified(reader.chunks(entry), entry.name, entry.sha256)
    reader.finish()


def _verified(chunks: Iterator[bytes], name: str, expected: str) -> Iterator[bytes]:
    whole = hashlib.sha256()
    for data in chunks:
        whole.update(data)
        yield data
    got = PREFIX + whole.hexdigest()
    if got != expected:
        raise BadBundle(
            f"{printable(name, 200)} was changed: expected {expected}, got {got}; {ALLOWED}"
        )


def _record(kept: Mapping[str, bytes]) -> dict[str, Any]:
    if RECORD not in kept:
        raise BadBundle(f"{RECORD} is not in the bundle; {ALLOWED}")
    try:
        return parse(RECORD, kept[RECORD])
    except BadRecord as problem:
        raise BadBundle(f"{problem.args[0]}") from problem


def _refuse_without_room(size: int, folder: Path) -> None:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise BadBundle(
            f"the bundle holds {size} bytes and {free} are free; allowed: what fits; "
            "say --output DIR on a larger disk"
        )


def write_file(path: Path, chunks: Iterator[bytes], executable: bool) -> None:
    """Write a new file, and the folders above it; never through a link.

    Raises:
        OSError: it can't be written, or something is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o755 if executable else 0o644)
    with open(descriptor, "wb") as file:
        for data in chunks:
            file.write(data)
