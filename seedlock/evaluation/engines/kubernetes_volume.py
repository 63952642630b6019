"""The volume that a cluster's runs share: submissions go in, results come out.

Whoever writes manifests has it mounted, too. Results are what programs of strangers wrote: no link
of theirs is followed, and nothing but plain files is read.
"""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from seedlock.evaluation.recording.record import LARGEST
from seedlock.evaluation.writing import settle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUBMISSIONS, RESULTS, DATA = "submissions", "results", "data"
"""Folders of the volume."""

RECORD, ARTIFACTS = "record.json", "run"
"""What a try leaves in its folder."""


def prepare(volume: Path, name: str, folder: Path, files: Iterable[str], tries: Iterable[str],
            user: int) -> None:  # fmt: skip
    """Put a submission into the volume, and make a folder for each try.

    A pod that made its folder itself would get one of root's.

    Args:
        volume: where it is mounted here.
        name: the submission's.
        folder: where it lies here.
        files: names of its files, and no others are copied.
        tries: `INDEX-FAILED` of each.
        user: whose the folders of tries are; where this user can't give them away, they are
            everybody's.

    Raises:
        FileExistsError: the submission is there already.
        OSError: the volume can't be written.
    """
    there = volume / SUBMISSIONS / name
    there.mkdir(parents=True)
    for each in files:
        (there / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / each, there / each)
    (volume / DATA).mkdir(exist_ok=True)
    for each in tries:
        path = volume / RESULTS / name / each
        path.mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(path, user, user)
        elif os.geteuid() != user:
            path.chmod(0o777)


def tries_of(volume: Path, name: str, seed_index: int) -> list[int]:
    """Return how many tries failed before each one of an index that left something, in order."""
    folder = volume / RESULTS / name
    found = []
    for path in folder.glob(f"{seed_index}-*") if folder.is_dir() else ():
        number = path.name.partition("-")[2]
        if number.isdecimal() and path.is_dir() and any(path.iterdir()):
            found.append(int(number))
    return sorted(found)


def take(volume: Path, name: str, tried: str, artifacts: Path, record: Path) -> bool:
    """Copy what a try left to its place, safe from a loss of power; tell whether there is a record.

    Args:
        volume: where it is mounted here.
        name: the submission's.
        tried: `INDEX-FAILED`.
        artifacts: path of the folder for its files; one that is there is replaced.
        record: path of its record; it comes last.

    Raises:
        OSError: a file can't be read or written.
    """
    folder = volume / RESULTS / name / tried
    raw = _plain(folder / RECORD)
    if raw is None:
        return False
    artifacts.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(artifacts, ignore_errors=True)
    if (folder / ARTIFACTS).is_dir() and not (folder / ARTIFACTS).is_symlink():
        shutil.copytree(folder / ARTIFACTS, artifacts, symlinks=True, ignore=_others)
        os.sync()  # at once: a run may have left many files
    temporary = record.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(record)
    settle(record.parent)
    return True


def _plain(path: Path) -> bytes | None:
    """Return the content of a plain file of a bearable size; None for anything else."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
        os.close(number)
        return None
    with open(number, "rb") as file:
        return file.read()


def _others(folder: str, names: list[str]) -> list[str]:
    """Return which names are neither files nor folders nor links."""
    kinds = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    modes = {name: os.lstat(os.path.join(folder, name)).st_mode for name in names}
    return [name for name, mode in modes.items() if not any(kind(mode) for kind in kinds)]
