"""`seedlock bundle`: a record and what it points to as one file, for an archive.

Equal input gives equal bytes: names sorted, no times, no owners.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import registry, settings
from seedlock.errors import BadRecord, NotMatching, printable
from seedlock.evaluation.file_digests import CHUNK, PREFIX, digest_of, listing
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.processes import TRACE
from seedlock.evaluation.recording import record, source
from seedlock.evaluation.replaying import bundle_tar, bundle_zip, manifest, matching
from seedlock.evaluation.replaying.manifest import ARTIFACTS, DATA, LOCK, SOURCE, Entry, Manifest
from seedlock.evaluation.replaying.products import look
from seedlock.evaluation.replaying.unpacking import LOCK_FILE, OUTPUTS
from seedlock.evaluation.runs import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from seedlock.evaluation.replaying.matching import Mismatch

WRITERS: dict[str, type[bundle_tar.Writer | bundle_zip.Writer]] = {
    ".tar.gz": bundle_tar.Writer,
    ".tgz": bundle_tar.Writer,
    ".zip": bundle_zip.Writer,
}
"""By the end of the file's name."""

DATA_LOCK = "data.lock"
VALUES = ".values"
"""Ending of the file beside a trace with results that were kept whole (docs/trace.md)."""


@dataclass
class Packing:
    """What goes into a bundle.

    Attributes:
        record: the record's file.
        content: what it says.
        artifacts: folder of the run.
        source: folder of the program.
        data: where each declared set lies, by its name; None leaves data out.
    """

    record: Path
    content: dict[str, Any]
    artifacts: Path
    source: Path
    data: Mapping[str, Path] | None = None
    _files: dict[str, tuple[Path | bytes, Entry]] = field(default_factory=dict)

    def collect(self, environ: Mapping[str, str]) -> Manifest:
        """Read all files and compare them with the record; return the manifest.

        Raises:
            BadRecord: the record is of a run that did not come to its end.
            NotMatching: a file is not what was recorded, or is gone; names it.
            BadBundle: a name or a size is not allowed.
            NotDigestible, OSError: a file can't be read.
        """
        if self.content["status"] != record.COMPLETE:
            raise BadRecord(
                f"{printable(str(self.record), 200)} says {self.content['status']}: its run was "
                "killed, or goes on; allowed: a complete record"
            )
        self._add(manifest.RECORD, self.record)
        self._add_source()
        self._add_run()
        self._add_locks(environ)
        if self.data is not None:
            self._add_data(self.data)
        return manifest.manifest_of(entry for _, entry in self._files.values())

    def write(
        self, path: Path, found: Manifest, advanced: Callable[[int, int], None] = lambda _, __: None
    ) -> str:
        """Write the bundle; return its digest.

        Args:
            path: the file; its name ends as one of `WRITERS`.
            found: what `collect` returned.
            advanced: called with the bytes done so far and those to do.

        Raises:
            NotMatching: a file changed since it was read first.
            BadBundle: the archive becomes too large for its format.
            OSError: it can't be written; nothing is left.
        """
        kind = next(kind for ending, kind in WRITERS.items() if path.name.endswith(ending))
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        done = 0
        try:
            with temporary.open("xb") as file:
                writer = kind(file)
                text = manifest.encoded(found)
                writer.add(Entry(manifest.FILE, len(text), ""), iter([text]))
                for entry in found.files:
                    writer.add(entry, _same(self._files[entry.name][0], entry))
                    done += entry.size
                    advanced(done, found.size)
                writer.finish()
                file.flush()
                os.fsync(file.fileno())
            digest = digest_of(temporary).digest
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return digest

    def _add(self, name: str, path: Path, executable: bool = False) -> Entry:
        read = digest_of(path)
        entry = Entry(name, read.size, read.digest, executable)
        self._files[name] = (path, entry)
        return entry

    def _add_source(self) -> None:
        recorded = self.content["source"]
        if recorded is None:
            return
        without = (self.record, self.artifacts)
        now, _ = look(self.record, self.content, self.source, self.artifacts, without)
        differing = matching.of_source(self.content, now, self.artifacts)
        if recorded["digest"] != now.digest:
            raise _other_source(differing[min(1, len(differing) - 1)])
        root = self.source.resolve()
        for name in now.files:
            path = self.source / name
            if not path.resolve().is_relative_to(root):
                raise NotMatching(
                    f"{printable(name, 200)} is a link that leads out of the source; allowed: "
                    "files of the source; put the file there itself"
                )
            self._add(SOURCE + name, path, os.access(path, os.X_OK))
        lines = listing(now.files.items())
        digest = PREFIX + hashlib.sha256(lines).hexdigest()
        name = ARTIFACTS + source.LISTING
        self._files[name] = (lines, Entry(name, len(lines), digest))

    def _add_run(self) -> None:
        folder = self.artifacts / WORKPLACE
        for each in self.content["outputs"]:
            path = folder / OUTPUT / each["path"]
            got = self._add(OUTPUTS + each["path"], path).sha256 if path.is_file() else "absent"
            if got != each["sha256"]:
                raise NotMatching(
                    f"output {printable(each['path'], 200)} is not what was recorded: expected "
                    f"{each['sha256']}, got {got}; allowed: the recorded run's files beside its "
                    "record; run it again"
                )
        for path in sorted((folder / "reports").glob("*")):
            if path.name.endswith((".json", TRACE, VALUES)) and not path.is_symlink():
                self._add(f"{ARTIFACTS}{WORKPLACE}/reports/{path.name}", path)

    def _add_locks(self, environ: Mapping[str, str]) -> None:
        lock = self.content["lock"]
        path = registry.lock_file(environ.get(settings.LOCK_FILE) or None)
        if lock is not None and self.content["image"] is None:
            got = "none" if path is None else self._add(LOCK_FILE, Path(path)).sha256
            if got != PREFIX + lock["sha256"]:
                raise NotMatching(
                    f"the lock file is not the recorded one: expected {PREFIX}{lock['sha256']}, "
                    f"got {got}; allowed: the environment of the run; set {settings.LOCK_FILE}"
                )
        declared = self.source / DATA_LOCK
        if declared.is_file() and not declared.is_symlink():
            self._add(LOCK + DATA_LOCK, declared)

    def _add_data(self, places: Mapping[str, Path]) -> None:
        for each in matching.of_data(self.content, places):
            raise NotMatching(
                f"{printable(each.what, 200)} is not what was recorded: expected {each.expected}, "
                f"got {each.got}; allowed: the declared sets; say --data FOLDER"
            )
        for of in self.content["data"]:
            path = places[of["name"]]
            if path.is_dir():
                for name in digest_of(path).files:
                    self._add(f"{DATA}{of['name']}/{name}", path / name)
            else:
                self._add(DATA + of["name"], path)


def _other_source(found: Mismatch) -> NotMatching:
    """Return the error for code that is not what ran: new, gone or changed."""
    cure = {found.got: "bring it back", found.expected: "take it out"}
    return NotMatching(
        f"{printable(found.what, 200)} is not what was recorded: expected {found.expected}, got "
        f"{found.got}; allowed: the code that ran; {cure.get(source.ABSENT, 'undo the change')}, "
        "or say --source FOLDER"
    )


def _same(content: Path | bytes, entry: Entry) -> Iterator[bytes]:
    """Yield a file's content, which must still be what its entry says."""
    if isinstance(content, bytes):
        yield content
        return
    whole = hashlib.sha256()
    left = entry.size
    file: BinaryIO
    with content.open("rb") as file:
        while left and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            whole.update(data)
            yield data
        more = file.read(1)
    if left or more or PREFIX + whole.hexdigest() != entry.sha256:
        raise NotMatching(
            f"{printable(entry.name, 200)} changed while it was packed; allowed: files at rest; "
            "pack again"
        )
