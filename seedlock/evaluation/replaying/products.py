"""What seedlock itself put into a source's folder since a run: records, their folders, bundles.

They are no source: a second replay must not fail for what the first one left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.errors import BadBundle, BadRecord
from seedlock.evaluation.recording import record, source
from seedlock.evaluation.replaying.matching import listed
from seedlock.evaluation.replaying.request import artifacts_of
from seedlock.evaluation.replaying.unpacking import manifest_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from seedlock.evaluation.recording.source import Source


def look(
    content: Mapping[str, Any],
    folder: Path,
    artifacts: Path,
    without: Sequence[Path],
    known: Collection[str] | None = None,
) -> tuple[Source, tuple[Path, ...]]:
    """Read the source of a recorded run as it is now.

    Args:
        content: the record, which has a source.
        folder: where the source is.
        artifacts: folder of the recorded run, whose listing tells which files are new.
        without, known: as source.look has them.

    Returns:
        The source, and `without` with what seedlock put there since. A file that the recorded
        source had is never left out.

    Raises:
        OSError, NotDigestible, SourceTooLarge: as source.look.
    """
    now = source.look(folder, without, known)
    before = listed(artifacts, content["source"]["digest"])
    if before is None or now.digest == content["source"]["digest"]:
        return now, tuple(without)
    new = [name for name in now.files if name not in before]
    left_out = (*without, *(folder / name for name in _products(folder, new)))
    return source.look(folder, left_out, known), left_out


def _products(folder: Path, names: Iterable[str]) -> Iterable[str]:
    records: list[Path] = []
    others = []
    for name in names:
        path = folder / name
        if name.endswith(".json") and (of := _artifacts(path)) is not None:
            records.append(of)
            yield name
        elif name.endswith((".zip", ".tgz", ".tar.gz")) and _is_bundle(path):
            yield name
        else:
            others.append(name)
    for name in others:
        if any((folder / name).is_relative_to(each) for each in records):
            yield name


def _artifacts(path: Path) -> Path | None:
    """Return the folder of the run of which `path` is the record; None where it is none."""
    try:
        return artifacts_of(path, record.load(path))
    except BadRecord:
        return None


def _is_bundle(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            manifest_in(file)
    except (BadBundle, OSError):
        return False
    return True
