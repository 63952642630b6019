"""How much room the packages of a lock take once they are installed.

A wheel's list of its files, RECORD, has the size of each (packaging.python.org, "Recording
installed projects"). Their sum is the same wherever the wheel is installed: compiled files, which
pip adds without a size, are not in it. Locks know no sizes, and the environment of the lock before
is gone by the time of the next one: so the sizes are stored beside the measurement.
"""

from __future__ import annotations

import csv
import importlib.metadata
import json
import math
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.writing import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "sizes.json"


def of(folder: Path, content: Mapping[str, Any]) -> dict[str, int] | None:
    """Return bytes by package of a measurement's environment; None where they are not known.

    They are read from beside the measurement, or else taken from the packages that the running
    interpreter has, if these are the measurement's, and stored.

    Args:
        folder: of the measurement.
        content: of its file.

    Raises:
        OSError: the sizes can't be written.
    """
    stored = _stored(folder / NAME, content)
    if stored is not None:
        return stored
    found = _installed(content["packages"])
    if found is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    write_json(str(folder / NAME), {"lock": content["lock"], "bytes": found})
    return found


def _stored(path: Path, content: Mapping[str, Any]) -> dict[str, int] | None:
    """Return stored sizes, if they are of these locks and look like sizes."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(read, dict) or read.get("lock") != content["lock"]:
        return None
    sizes = read.get("bytes")
    if not isinstance(sizes, dict):
        return None
    ok = all(type(each) is int and 0 <= each < math.inf for each in sizes.values())
    return {str(name): each for name, each in sizes.items()} if ok else None


def _installed(wanted: Mapping[str, str]) -> dict[str, int] | None:
    """Return bytes by package; None where one is not there in the wanted version, or none is
    wanted."""
    found = {}
    for name, version in sorted(wanted.items()):
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            return None
        if distribution.version != version:
            return None
        # Path,hash,size; `files` makes an object of each of 170,000 lines.
        rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
        found[name] = sum(int(row[2]) for row in rows if len(row) == 3 and row[2].isdecimal())
    return found or None
