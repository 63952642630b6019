"""What seedlock itself put into a source's folder since a run: records, their folders, bundles, and
what shows a record (pages, crates, statements).

They are no source: a second replay must not fail for what the first one left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import BadBundle, BadRecord
from seedlock.evaluation.recording import record, source
from seedlock.evaluation.replaying.matching import listed
from seedlock.evaluation.replaying.request import artifacts_of
from seedlock.evaluation.replaying.shown_anew import shown
from seedlock.evaluation.replaying.unpacking import manifest_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.recording.source import Source


def look(
    of: Path,
    content: dict[str, Any],
    folder: Path,
    artifacts: Path,
    without: Sequence[Path],
    known: Collection[str] | None = None,
) -> tuple[Source, tuple[Path, ...]]:
    """Read the source of a recorded run as it is now.

    Args:
        of: the record's file.
        content: the record, which has a source.
        folder: where the source is.
        artifacts: folder of the recorded run, whose listing tells which files are new.
        without, known: as source.look has them.

    Returns:
        The source, and `without` with what seedlock put there since. A file that the recorded
        source had is never left out: without a listing, nothing is unless the rest has the recorded
        digest.

    Raises:
        OSError, NotDigestible, SourceTooLarge: as source.look.
    """
    now = source.look(folder, without, known)
    digest = content["source"]["digest"]
    if now.digest == digest:
        return now, tuple(without)
    before = listed(artifacts, digest)
    new = [name for name in now.files if before is None or name not in before]
    left_out = (*without, *(folder / name for name in _products(folder, new, {of: content})))
    found = source.look(folder, left_out, known)
    if before is None and found.digest != digest:
        return now, tuple(without)
    return found, left_out


def _products(
    folder: Path, names: Iterable[str], recorded: Mapping[Path, dict[str, Any]]
) -> Iterator[str]:
    records = dict(recorded)
    folders: list[Path] = []
    others = []
    for name in names:
        path = folder / name
        if name.endswith(".json") and (content := _record(path)) is not None:
            records[path] = content
            of = artifacts_of(path, content)
            if folder in of.parents:  # a stranger's record may name all of the source
                folders.append(of)
            yield name
        elif name.endswith((".zip", ".tgz", ".tar.gz")) and _is_bundle(path):
            yield name
        else:
            others.append(name)
    left = []
    for name in others:
        if any((folder / name).is_relative_to(each) for each in folders):
            yield name
        else:
            left.append(name)
    yield from shown(left, folder, records)


def _record(path: Path) -> dict[str, Any] | None:
    """Return what a record says; None where the file is none."""
    try:
        return record.load(path)
    except BadRecord:
        return None


def _is_bundle(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            manifest_in(file)
    except (BadBundle, OSError):
        return False
    return True
