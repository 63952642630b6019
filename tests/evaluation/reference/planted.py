"""A package as it is installed, but for some of its files: what a bad build of it would be."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

Change = Callable[[bytes], bytes]


def plant(place: Path, package: str, libraries: str, changes: Mapping[str, Change]) -> None:
    """Make a folder for PYTHONPATH that holds a package with other files in it.

    All others are links to the installed ones, and so are its shared libraries, which its compiled
    modules look for beside it.

    Args:
        place: to be made.
        package: as in an import statement.
        libraries: name of the folder with shared libraries beside it.
        changes: what becomes of each changed file, by its path below the package.
    """
    found = importlib.util.find_spec(package)
    assert found is not None and found.origin is not None
    installed = Path(found.origin).parent
    place.mkdir()
    (place / libraries).symlink_to(installed.parent / libraries)
    _fill(place / package, installed, {installed / name: of for name, of in changes.items()})


def instead(old: str, new: str) -> Change:
    """Return a change that puts a text in the place of another, which is there once."""

    def change(content: bytes) -> bytes:
        assert content.count(old.encode()) == 1, old
        return content.replace(old.encode(), new.encode())

    return change


def _fill(folder: Path, installed: Path, changes: Mapping[Path, Change]) -> None:
    folder.mkdir()
    for each in installed.iterdir():
        if each in changes:
            (folder / each.name).write_bytes(changes[each](each.read_bytes()))
        elif any(path.is_relative_to(each) for path in changes):
            _fill(folder / each.name, each, changes)
        else:
            (folder / each.name).symlink_to(each)
