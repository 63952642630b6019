"""Where the data of a recorded run is found here, and how a replay is given it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, printable
from seedlock.evaluation.data import data_lock, providing, sources
from seedlock.evaluation.file_digests import PREFIX, digest_of
from seedlock.evaluation.replaying.matching import place_of
from seedlock.evaluation.runs import DATA_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seedlock.evaluation.container_engine import Mount
    from seedlock.evaluation.data.caching import Cache
    from seedlock.evaluation.data.data_lock import DataSet

LOCK = "data.lock"


def named(given: Iterable[str], environ: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Return the folders with sets, and the data.lock files, that `--data` and REPRO_DATA name."""
    paths = [Path(each).absolute() for each in given]
    folders = [each for each in paths if not each.is_file()]
    folders += [Path(each) for each in (environ.get(DATA_VARIABLE),) if each]
    return folders, [each for each in paths if each.is_file()]


def found(
    content: Mapping[str, Any],
    folders: Iterable[Path],
    locks: Iterable[Path],
    cache: Cache,
    mounts: Sequence[Mount] = (),
) -> dict[str, Path]:
    """Return where each declared set lies; one that is nowhere is left out.

    Nothing is compared here: what lies there may be another.

    Args:
        content: the record.
        folders: folders that hold sets by their names; the first that has one counts.
        locks: data.lock files, which are asked next; those that are not there are passed over.
        cache: where the sets of these lie.
        mounts: what was given in the place of a recorded mount; counts before all else.

    Raises:
        BadDataLock: a lock file is bad.
    """
    names = [each["name"] for each in content["data"]]
    if not names:
        return {}
    declared: dict[str, DataSet] = {}
    for lock in locks:
        for data in data_lock.declared(lock) if lock.is_file() else ():
            declared.setdefault(data.name, data)
    given = {each.there: each.here for each in mounts}
    searched = list(folders)
    places: dict[str, Path] = {}
    for name in names:
        path = given.get(f"{providing.IN_CONTAINER}/{name}") or place_of(name, searched)
        if path is None and name in declared:
            path = cache.place(declared[name])
        if path is not None and path.exists():
            places[name] = path
    return places


def given(content: Mapping[str, Any], places: Mapping[str, Path]) -> tuple[DataSet, ...]:
    """Return the sets that a replay is given, each as it is here: one that is not what was recorded
    counts as what it is, and comes so into the replay's own record.

    Args:
        content: the record.
        places: what `found` returned; a set that is not there is left out.

    Raises:
        BadRecord: a set has a name that none can have.
        NotDigestible, OSError: one can't be read.
    """
    sets = []
    for each in content["data"]:
        name = each["name"]
        if not data_lock.check_name(name):
            raise BadRecord(
                f"the record's data is called {printable(name)}; allowed: {data_lock.NAMES}"
            )
        if name in places:
            here = digest_of(places[name])
            source = sources.from_path(os.path.realpath(places[name]), "mount")
            sets.append(
                data_lock.DataSet(
                    name, here.digest.removeprefix(PREFIX), here.kind, here.size, each["licence"],
                    source,
                )
            )  # fmt: skip
    return tuple(sets)
