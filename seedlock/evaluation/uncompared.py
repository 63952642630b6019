"""Files that a command writes in its working folder and that nobody compares: they neither lie in
the run's own folder nor are named with `--declare`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    Stamps = dict[str, tuple[int, int, int]]

MOST = 50_000
"""Files that are looked at, empty ones in 0.3 s on an AMD EPYC (2026-11-23). In a larger folder it
is not told."""

FEW = 3
"""How many are named."""

_CACHES = ("__pycache__",)


class Uncompared:
    """What changes in a folder during a run.

    Args:
        folder: the working folder.
        apart: folder of the runs, which may lie below it.
    """

    def __init__(self, folder: Path, apart: Path) -> None:
        self._folder = str(folder)
        self._apart = str(apart)
        self._before: Stamps | None = {}

    def look(self) -> None:
        """Note what is there before the run."""
        self._before = self._stamps()

    def note(self, declared: Collection[str]) -> str:
        """Return what to tell after the run, empty where nothing was written.

        Args:
            declared: names of files that are compared.
        """
        after = self._stamps()
        if self._before is None or after is None:
            return (
                f"this folder holds more than {MOST} files: what the command wrote in it was not "
                "looked for, and is compared only if it is declared"
            )
        before = self._before
        written = sorted(
            name
            for name, stamp in after.items()
            if before.get(name) != stamp and name not in declared
        )
        if not written:
            return ""
        named = ", ".join(written[:FEW])
        if len(written) > FEW:
            named += f", … ({len(written)} files)"
        it = "it" if len(written) == 1 else "them"
        return (
            f"not compared: {named}, written in this folder during the first run; name {it} with "
            f"--declare, or write {it} to {{output}}"
        )

    def _stamps(self) -> Stamps | None:
        found: Stamps = {}
        own = {_file_of(stream) for stream in (1, 2)}
        for where, folders, files in os.walk(self._folder):
            here = "" if where == self._folder else os.path.relpath(where, self._folder)
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".")
                and name not in _CACHES
                and os.path.join(where, name) != self._apart
            ]
            for name in files:
                path = os.path.join(where, name)
                try:
                    of = os.lstat(path)
                except OSError:
                    continue  # gone meanwhile
                if not name.startswith(".") and (of.st_dev, of.st_ino) not in own:
                    found[os.path.join(here, name)] = (
                        of.st_mtime_ns, of.st_ino, of.st_size,
                    )  # fmt: skip
            if len(found) > MOST:
                return None
        return found


def _file_of(stream: int) -> tuple[int, int] | None:
    """Return which file a stream of this process goes to: what is told here is no result."""
    try:
        of = os.fstat(stream)
    except OSError:
        return None
    return of.st_dev, of.st_ino
