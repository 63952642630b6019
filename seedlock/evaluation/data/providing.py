"""Give a run its data: one read-only entry per set, verified before and after."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.errors import DataMismatch
from seedlock.evaluation.container_engine import Mount
from seedlock.evaluation.data.data_lock import declared
from seedlock.evaluation.data.verifying import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.data.caching import Cache
    from seedlock.evaluation.data.data_lock import DataSet
    from seedlock.evaluation.data.verifying import State

IN_CONTAINER = "/data"


@dataclass(frozen=True)
class Provided:
    """What a run is given.

    Attributes:
        sets: what is declared.
        places: absolute path of each set on this machine, by name.
        before: state of each set before the run, all verified.
        folder: folder with a link per set, or None for a container.
    """

    sets: tuple[DataSet, ...]
    places: dict[str, Path]
    before: list[State]
    folder: Path | None

    def mounts(self) -> list[Mount]:
        """Return what a container mounts read-only: each set at /data/NAME."""
        return [Mount(self.places[data.name], f"{IN_CONTAINER}/{data.name}") for data in self.sets]


def provide(lock_path: Path, folder: Path | None, cache: Cache) -> Provided:
    """Verify what a lock file declares, and link it into a folder.

    Nothing is fetched. Without a container the links don't keep a program from writing what its
    user may write: the cache is read-only for all but root, a mounted folder may not be;
    `verify_again` says whether something was changed.

    Args:
        lock_path: the data.lock.
        folder: new or empty folder for the links, made here; None for a container (`mounts`).
        cache: where fetched sets lie.

    Raises:
        BadDataLock: the lock file is bad.
        DataMismatch: a set is not there or is another; no link was made.
        OSError: the folder can't be made, or is not empty.
    """
    sets = tuple(declared(lock_path))
    return give(sets, {data.name: cache.place(data) for data in sets}, folder)


def give(sets: tuple[DataSet, ...], where: Mapping[str, Path], folder: Path | None) -> Provided:
    """Verify sets that are known, and link them into a folder, as `provide` does.

    Args:
        sets: what is declared.
        where: where each lies, by its name.
        folder: as in `provide`.

    Raises:
        DataMismatch, OSError: as `provide`.
    """
    places = {name: Path(os.path.realpath(path)) for name, path in where.items()}
    before = check(sets, lambda data: places[data.name])
    problems = [state["problem"] for state in before if state["problem"]]
    if problems:
        raise DataMismatch("; ".join(problems))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):  # what lies there would be data that nobody declared
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(folder))
        for name, place in places.items():
            (folder / name).symlink_to(place)
    return Provided(sets, places, before, folder)


def verify_again(provided: Provided) -> list[State]:
    """Return each set's state after the run, as the run saw it.

    A link that the run has turned elsewhere or removed counts as a change, whatever it leads to.
    """
    after = check(provided.sets, lambda data: provided.places[data.name])
    if provided.folder is None:
        return after
    for state in after:
        link = provided.folder / state["name"]
        if not link.is_symlink() or os.readlink(link) != str(provided.places[state["name"]]):
            state["verified"] = False
            state["problem"] = f"{state['name']}: its link was removed or changed during the run"
    return after
