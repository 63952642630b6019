"""Which packages another lock brings: added, removed, in another version, with another hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation import lock_files
from seedlock.evaluation.manifest import PYTHON, Manifest, Package
from seedlock.evaluation.manifest_diff import compare
from seedlock.evaluation.rounds.canonical import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.manifest_diff import PackageChange

LOCKS = ("cpu.lock", "programs.lock", "gpu.lock", "dev.lock")
"""Of which the page tells; the models are trained with the first two."""


def read(folder: Path) -> dict[str, str]:
    """Return the texts of the locks that a folder has, by their names.

    Raises:
        OSError: one can't be read.
    """
    return {
        name: (folder / name).read_text(encoding="utf-8")
        for name in LOCKS if (folder / name).is_file()
    }  # fmt: skip


def agree(texts: Mapping[str, str], content: Mapping[str, Any]) -> bool:
    """Return whether the locks are those that a stored measurement was made with."""
    return bool(content["lock"]) and all(
        name in texts and sha256(texts[name].encode()) == digest
        for name, digest in content["lock"].items()
    )


def between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return what differs in each lock that both have, JSON-ready; a lock without changes too.

    Raises:
        BadLock: a line is none of a lock.
    """
    return {
        name: _changes(
            lock_files.locked({name: before[name]}), lock_files.locked({name: after[name]})
        )
        for name in LOCKS if name in before and name in after
    }  # fmt: skip


def of_versions(
    before: Mapping[str, str], after: Mapping[str, str]
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what differs between versions by package, where the lock before is not at hand."""
    return _changes(*(
        [Package(PYTHON, name, version, "") for name, version in each.items()]
        for each in (before, after)
    ))  # fmt: skip


def _changes(before: list[Package], after: list[Package]) -> list[dict[str, Any]]:
    one, other = (
        Manifest("locks", "", packages=tuple(sorted(each))) for each in (before, after)
    )  # fmt: skip
    return [_described(each) for each in compare(one, other).packages]


def _described(change: PackageChange) -> dict[str, Any]:
    return {
        "name": change.package.name,
        "change": change.change,
        "before": change.before.version if change.before else None,
        "after": change.after.version if change.after else None,
    }
