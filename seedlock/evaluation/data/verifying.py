"""Sets against what lies in the cache, where they are mounted, in a run's data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from seedlock.errors import DataMismatch, printable
from seedlock.evaluation.data import sources
from seedlock.evaluation.file_digests import NotDigestible, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from seedlock.evaluation.data.data_lock import DataSet


class State(TypedDict):
    """One set as it was found, as a record holds it; nothing of `from` is in it.

    Attributes:
        name, sha256, size, kind, licence: as declared.
        verified: whether exactly this lies there.
        problem: what is wrong otherwise.
    """

    name: str
    sha256: str
    size: int
    kind: str
    licence: str
    verified: bool
    problem: str | None


def check(
    sets: Iterable[DataSet],
    where: Callable[[DataSet], Path],
    advanced: Callable[[int], None] = lambda _: None,
) -> list[State]:
    """Return each set's state, in order; each file is read, and nothing is changed.

    Args:
        sets: what is declared.
        where: gives a set's place, as `Cache.place` or `below(folder)`.
        advanced: called with the number of bytes just read.
    """
    return [_state(data, where(data), advanced) for data in sets]


def below(folder: Path) -> Callable[[DataSet], Path]:
    """Return where sets lie in a folder that has each under its name, as a run's /data."""
    return lambda data: folder / data.name


def expect(data: DataSet, path: Path, advanced: Callable[[int], None] = lambda _: None) -> None:
    """Make sure that a path has what a set declares.

    Raises:
        DataMismatch: it has something else; the text names expected and got.
        OSError: it can't be read.
    """
    try:
        found = digest_of(path, advanced)
    except NotDigestible as problem:
        raise DataMismatch(f"{data.name}: {printable(str(problem), 300)}") from None
    if found.digest != data.digest or found.size != data.size or found.kind != data.kind:
        raise DataMismatch(
            f"{data.name}: expected {data.digest} ({data.kind} of {data.size} bytes), got "
            f"{found.digest} ({found.kind} of {found.size} bytes)"
        )


def _state(data: DataSet, path: Path, advanced: Callable[[int], None]) -> State:
    problem = None
    try:
        if path.exists():
            expect(data, path, advanced)
        else:
            problem = f"{data.name}: not there; {_cure(data)}"
    except DataMismatch as mismatch:
        problem = mismatch.args[0]
    except OSError as trouble:
        problem = f"{data.name}: can't be read: {trouble.strerror or type(trouble).__name__}"
    return State(
        name=data.name, sha256=data.sha256, size=data.size, kind=data.kind, licence=data.licence,
        verified=problem is None, problem=problem,
    )  # fmt: skip


def _cure(data: DataSet) -> str:
    if sources.scheme(data.source) == "mount":
        return "mount it where `from` in data.lock says, or mend that"
    return f"say seedlock data fetch {data.name}"
