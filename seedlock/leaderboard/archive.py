"""A submission's folder as one file to hand in, the same bytes each time.

It is a bundle's archive (replaying/bundle_tar.py) with the files of the submission's digest below
`source/` and nothing else. So links, devices and names that lead out can't stand in one, and what
it unpacks to is known from its first part, before a byte of a file is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from seedlock.errors import BadBundle, BadSubmission, printable
from seedlock.evaluation.file_digests import CHUNK, of_listing
from seedlock.evaluation.recording import source
from seedlock.evaluation.replaying import bundle_tar, manifest, unpacking
from seedlock.evaluation.replaying.manifest import SOURCE, Entry
from seedlock.evaluation.submission import submission_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from seedlock.evaluation.replaying.manifest import Manifest

MOST_FILES, MOST_BYTES = source.MOST_FILES, source.MOST_BYTES
"""Of a submission: what a source may have where no git repository says what it is."""

LARGEST_MANIFEST = 16 << 20
"""Bytes of the list of files, which is read into memory: `MOST_FILES` with the longest names."""

ALLOWED = "allowed: an archive as seedlock submit makes it; hand it in with that command"


@dataclass(frozen=True)
class Handed:
    """What an archive holds.

    Attributes:
        digest: of the submission's folder, as `seedlock check` prints it.
        files: how many.
        size: bytes of all of them, unpacked.
    """

    digest: str
    files: int
    size: int


def pack(
    folder: Path, into: BinaryIO, advanced: Callable[[int, int], None] = lambda _, __: None
) -> Handed:
    """Write the archive of a submission.

    Args:
        folder: absolute path, with `submission.toml`.
        into: where to write.
        advanced: called with the bytes done so far and those to do.

    Raises:
        BadSubmission: the folder holds what an archive can't, or changed while it was read.
        SourceTooLarge, NotDigestible, OSError: as `source.look`.
    """
    found = source.look(folder)
    if submission_file.NAME not in found.files:
        raise _unfit(folder, "git ignores it, so that its digest would not hold its files",
                     "a folder outside of that repository")  # fmt: skip
    if found.links:
        raise _unfit(folder, f"{found.links[0]} is a link to a folder", "files; copy the folder")
    passed_over = uncounted(found.files)
    if passed_over:
        said = f"git has {passed_over[0]}, which counts as no source where there is no git"
        raise _unfit(folder, said, "files outside of caches and environments; git rm --cached it")
    entries = [_entry(folder, name, digest) for name, digest in found.files.items()]
    try:
        listed = manifest.manifest_of(entries)
        _refuse_too_large(listed)
    except BadBundle as problem:
        raise _unfit(folder, _said(problem), "less, and plain names") from problem
    text = manifest.encoded(listed)
    writer = bundle_tar.Writer(into)
    writer.add(Entry(manifest.FILE, len(text), ""), [text])
    done = 0

    def counted(chunks: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal done
        for data in chunks:
            done += len(data)
            advanced(done, listed.size)
            yield data

    for each in listed.files:
        writer.add(each, counted(_content(folder, each)))
    writer.finish()
    if source.look(folder).files != found.files:
        raise _changed(folder)
    return Handed(found.digest, len(listed.files), listed.size)


def look(file: BinaryIO) -> Handed:
    """Return what an archive says that it holds; its files are not read.

    Raises:
        BadSubmission: it is no archive of a submission, or holds more than one may.
    """
    return _handed(_manifest(file))


def sizes(file: BinaryIO) -> dict[str, int]:
    """Return the bytes of each file that an archive says that it holds, by its name.

    Raises:
        BadSubmission: as `look`.
    """
    return {each.name.removeprefix(SOURCE): each.size for each in _manifest(file).files}


def unpack(file: BinaryIO, folder: Path) -> Handed:
    """Check an archive from end to end and write its files into a new folder.

    Nothing in it is run or read but for its bytes. What was written is the caller's to remove
    where this raises.

    Args:
        file: the archive.
        folder: not there yet; for this user only.

    Raises:
        BadSubmission: as `look`, or a file is not what the archive's list says.
        OSError: a file can't be written.
    """
    found = _manifest(file)
    folder.mkdir(mode=0o700)
    executable = {each.name for each in found.files if each.executable}
    try:
        for name, chunks in unpacking.files_of(file, found):
            path = folder / name.removeprefix(SOURCE)
            unpacking.write_file(path, chunks, name in executable)
    except BadBundle as problem:
        raise _bad(_said(problem)) from problem
    return _handed(found)


def uncounted(names: Iterable[str]) -> list[str]:
    """Return the names that a source without a git repository passes over, by `source.look`: a
    digest with them would be another wherever the submission is looked at next."""
    known = sorted(names)
    environments = {
        str(PurePosixPath(name).parent) for name in known if name.endswith("/pyvenv.cfg")
    }
    return [
        name for name in known
        if source.PASSED_OVER & set(name.split("/")[:-1])
        or any(str(above) in environments for above in PurePosixPath(name).parents)
    ]  # fmt: skip


def _manifest(file: BinaryIO) -> Manifest:
    file.seek(0)
    if file.read(2) != bundle_tar.GZIP[:2]:
        raise _bad("it is no .tar.gz")
    try:
        found = unpacking.manifest_in(file, LARGEST_MANIFEST)
        _refuse_too_large(found)
    except BadBundle as problem:
        raise _bad(_said(problem)) from problem
    names = [each.name.removeprefix(SOURCE) for each in found.files]
    strange = [each.name for each in found.files if not each.name.startswith(SOURCE)]
    strange += uncounted(names)
    if strange:
        raise _bad(f"{printable(strange[0], 200)} is no file of a submission")
    if submission_file.NAME not in names:
        raise _bad(f"{submission_file.NAME} is not in it")
    return found


def _handed(found: Manifest) -> Handed:
    digest = of_listing(found.below(SOURCE).items())
    return Handed(digest, len(found.files), found.size)


def _entry(folder: Path, name: str, digest: str) -> Entry:
    status = (folder / name).stat()
    return Entry(SOURCE + name, status.st_size, digest, bool(status.st_mode & 0o111))


def _content(folder: Path, entry: Entry) -> Iterator[bytes]:
    left = entry.size
    with (folder / entry.name.removeprefix(SOURCE)).open("rb") as file:
        while left:
            data = file.read(min(left, CHUNK))
            if not data:
                raise _changed(folder)
            left -= len(data)
            yield data


def _refuse_too_large(found: Manifest) -> None:
    if len(found.files) > MOST_FILES or found.size > MOST_BYTES:
        raise BadBundle(
            f"it holds {len(found.files)} files with {found.size} bytes, and {MOST_FILES} files "
            f"with {MOST_BYTES} bytes are allowed"
        )


def _said(problem: BadBundle) -> str:
    """Return what is wrong, without the cure, which is a bundle's."""
    return str(problem.args[0]).partition("; allowed:")[0]


def _bad(said: str) -> BadSubmission:
    return BadSubmission(f"what was handed in is no submission's archive: {said}; {ALLOWED}")


def _unfit(folder: Path, said: str, allowed: str) -> BadSubmission:
    return BadSubmission(
        f"{printable(str(folder), 200)} can't be handed in: {printable(said, 300)}; allowed: "
        f"{allowed}"
    )


def _changed(folder: Path) -> BadSubmission:
    return _unfit(folder, "a file changed while it was read", "one that stands still; say it again")
