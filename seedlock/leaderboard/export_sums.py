"""SHA256SUMS of an export: every file but itself, and nothing else."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from seedlock.evaluation.file_digests import digest_of, listing
from seedlock.evaluation.rounds.claims import PROVEN, WRONG, Finding
from seedlock.leaderboard.export_layout import SUMS

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = "files"
"""What the findings are about."""

_LINE = re.compile(r"([0-9a-f]{64})  ([^\\\n\r]+)")


def names(folder: Path) -> tuple[list[str], list[str]]:
    """Return the files below a folder, and what there is neither plain file nor folder, sorted."""
    plain, strange = [], []
    for current, folders, files in os.walk(folder):
        for name in (*files, *folders):
            path = os.path.join(current, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                plain.append(os.path.relpath(path, folder))
            elif not stat.S_ISDIR(mode) or not os.listdir(path):
                strange.append(os.path.relpath(path, folder))
    return sorted(plain), sorted(strange)


def check(folder: Path) -> list[Finding]:
    """Return whether the files in a folder are those of its SHA256SUMS.

    Raises:
        OSError: a file can't be read.
    """
    plain, strange = names(folder)
    wrong = [f"{name} is a link, an empty folder or no file" for name in strange]
    listed: dict[str, str] = {}
    if SUMS not in plain:
        return [Finding(ABOUT, WRONG, each) for each in (*wrong, f"{SUMS} is not there")]
    raw = (folder / SUMS).read_bytes().decode("utf-8", "replace")
    for number, line in enumerate(raw.split("\n")[:-1], 1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in listed:
            wrong.append(f"{SUMS}, line {number}, is not as sha256sum writes it")
        else:
            listed[found[2]] = f"sha256:{found[1]}"
    if not wrong and listing(listed.items()).decode() != raw:
        wrong.append(f"{SUMS} is not sorted by names, or has no last line feed")
    there = [name for name in plain if name != SUMS]
    wrong += [f"{name} is missing" for name in sorted(listed.keys() - set(there))]
    wrong += [f"{name} was added: {SUMS} does not name it" for name in there if name not in listed]
    for name in there:
        if name in listed and digest_of(folder / name).digest != listed[name]:
            wrong.append(f"{name} was changed: {SUMS} has another digest")
    if wrong:
        return [Finding(ABOUT, WRONG, each) for each in wrong]
    return [Finding(ABOUT, PROVEN, f"{len(listed)} files are those of {SUMS}, and no others")]
