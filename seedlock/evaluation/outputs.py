"""What two runs left behind: the files in their output folders, and declared files, which the
program writes where it wants to and which are copied into the run's folder."""

from __future__ import annotations

import os
import re
import shutil
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.evaluation.file_contents import compare_files
from seedlock.evaluation.findings import DIFFERENCE, NOT_WRITTEN, TIME_STAMP, Finding, shown
from seedlock.evaluation.time_stamps import masked

if TYPE_CHECKING:
    from collections.abc import Iterable

    Stamp = tuple[int, int, int]

DECLARED = "declared"
"""Folder in a run's folder that holds copies of declared files."""

_LONG_NUMBER = re.compile(r"\d{9,}(?:\.\d+)?")


def listed(folder: Path) -> dict[str, Path]:
    """Return the files and links below a folder by their names relative to it, sorted; none where
    it is not there.

    Raises:
        OSError: a folder can't be listed, and is not taken for an empty one.
    """

    def refuse(problem: OSError) -> None:
        if os.path.lexists(folder):
            raise problem

    found = {}
    for where, folders, files in os.walk(folder, onerror=refuse):
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        for name in (*files, *links):
            path = Path(where, name)
            found[str(path.relative_to(folder))] = path
    return dict(sorted(found.items()))


def compare_folders(first: Path, second: Path, prefix: str = "") -> tuple[list[Finding], int]:
    """Compare two folders file by file.

    A file that only one of them has is a difference, unless the other has one whose name differs
    only in a date or a clock's number.

    Args:
        first, second: the folders; one that is not there is empty.
        prefix: put before names in findings.

    Returns:
        Findings, and how many pairs of files were compared.

    Raises:
        OSError: a file or folder can't be read.
    """
    one, other = listed(first), listed(second)
    found: list[Finding] = []
    pairs = [(name, name) for name in one if name in other]
    alone = [name for name in one if name not in other]
    strangers = dict.fromkeys(name for name in other if name not in one)
    twins: dict[str, deque[str]] = {}
    for name in strangers:
        twins.setdefault(_timeless(name), deque()).append(name)
    for name in alone:
        alike = twins.get(_timeless(name))
        if not alike:
            found.append(Finding(prefix + name, "", DIFFERENCE, "present", "absent"))
            continue
        twin = alike.popleft()
        del strangers[twin]
        pairs.append((name, twin))
        found.append(Finding(prefix + name, "name", TIME_STAMP, shown(name), shown(twin)))
    found += [Finding(prefix + name, "", DIFFERENCE, "absent", "present") for name in strangers]
    for name, twin in pairs:
        found += _pair(prefix + name, one[name], other[twin])
    return found, len(pairs)


class Declared:
    """Files that the program writes in its working folder, by the patterns of `--declare`.

    Nothing there is deleted or changed: what a run wrote is told by what changed.

    Args:
        patterns: of `--declare`.
        folder: the working folder.
        apart: folder of the runs, whose files no pattern means though they may lie below.
    """

    def __init__(self, patterns: Iterable[str], folder: Path, apart: Path | None = None) -> None:
        self._patterns = list(patterns)
        self._folder = folder
        self._apart = apart
        self._before: dict[Path, Stamp] = {}

    def look(self) -> list[str]:
        """Note what is there before a run; return the names."""
        self._before = {
            path: _stamp(path) for pattern in self._patterns for path in self._of(pattern)
        }
        return self.names()

    def names(self) -> list[str]:
        """Return the names of those that are there now."""
        found = {path for pattern in self._patterns for path in self._of(pattern)}
        return sorted(str(path.relative_to(self._folder)) for path in found)

    def collect(self, target: Path) -> list[Finding]:
        """Copy what the run wrote into `target`; return a finding for each pattern of which it
        wrote no file: one that is not there, or that stands as it stood before."""
        unwritten = []
        for pattern in self._patterns:
            matching = self._of(pattern)
            written = [path for path in matching if self._before.get(path) != _stamp(path)]
            if not written:
                note = "unchanged since before the run" if matching else "not there"
                unwritten.append(Finding(pattern, "", NOT_WRITTEN, note=note))
            for path in written:
                copy = target / path.relative_to(self._folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        return unwritten

    def _of(self, pattern: str) -> list[Path]:
        return sorted(
            path for path in self._folder.glob(pattern)
            if path.is_file() and (self._apart is None or not path.is_relative_to(self._apart))
        )  # fmt: skip


def _stamp(path: Path) -> Stamp:
    of = path.stat()
    return of.st_mtime_ns, of.st_ino, of.st_size


def _timeless(name: str) -> str:
    return _LONG_NUMBER.sub("<time>", masked(name))


def _pair(name: str, one: Path, other: Path) -> list[Finding]:
    kinds = [_kind(path) for path in (one, other)]
    if kinds[0] != kinds[1]:
        return [Finding(name, "type of file", DIFFERENCE, *kinds)]
    if kinds[0] == "file":
        return compare_files(name, one, other)
    if kinds[0] == "link":
        targets = [os.readlink(path) for path in (one, other)]
        return [Finding(name, "target", DIFFERENCE, *targets)] if targets[0] != targets[1] else []
    return []  # a socket or a pipe holds nothing


def _kind(path: Path) -> str:
    if path.is_symlink():
        return "link"
    return "file" if path.is_file() else "other"
