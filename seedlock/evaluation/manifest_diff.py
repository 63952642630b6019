"""What changed from one manifest to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.evaluation.manifest import DEB, FILES, LOCKED, Manifest, Package

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDED = "added"
REMOVED = "removed"
VERSION = "other version"
HASH = "other hash"
CHANGES = (ADDED, REMOVED, VERSION, HASH)
"""In the order in which they are shown. The last is the one to ask about: the same version must
not come with other contents."""


class FactChange(NamedTuple):
    """A fact of two manifests that differs, each as text; empty where one has none.

    Attributes:
        name: `base`, `base digest`, `base layer`, `system`, `seedlock`, `revision` or `lock FILE`.
        before, after: its values.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class PackageChange:
    """A package that differs.

    Attributes:
        change: one of `CHANGES`.
        before, after: the package in A and in B; one of them is None where it was added or removed.
        hashes: which kinds of hash differ; a kind that one of the two lacks is not compared.
    """

    change: str
    before: Package | None
    after: Package | None
    hashes: tuple[str, ...] = ()

    @property
    def package(self) -> Package:
        """The package as it is, or was."""
        package = self.after or self.before
        assert package is not None
        return package


@dataclass(frozen=True)
class Difference:
    """All that differs between two manifests.

    Attributes:
        facts: about the whole.
        packages: sorted by system and name.
    """

    facts: tuple[FactChange, ...]
    packages: tuple[PackageChange, ...]

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.facts or self.packages)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "facts": [each._asdict() for each in self.facts],
            "packages": [
                {
                    "system": each.package.system,
                    "name": each.package.name,
                    "change": each.change,
                    "before": _side(each.before),
                    "after": _side(each.after),
                    "hashes": list(each.hashes),
                }
                for each in self.packages
            ],
        }


def compare(a: Manifest, b: Manifest) -> Difference:
    """Return what differs from A to B, ids of images aside.

    Between manifests of two kinds, as a folder of locks and an image, a fact that one of them
    can't have is not compared.
    """
    before, after = dict(_facts(a)), dict(_facts(b))
    facts = tuple(
        FactChange(name, before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys([*before, *after])
        if before.get(name, "") != after.get(name, "")
        and (a.kind == b.kind or (before.get(name) and after.get(name)))
    )
    return Difference(facts, tuple(_packages(a, b)))


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if manifest.base is not None:
        yield "base", manifest.base.name
        yield "base digest", manifest.base.digest
        yield "base layer", manifest.base.layer
    yield "system", " ".join(manifest.system).strip()
    yield "seedlock", manifest.seedlock
    yield "revision", manifest.revision
    for name, digest in sorted(manifest.locks.items()):
        yield f"lock {name}", digest


def _packages(a: Manifest, b: Manifest) -> Iterator[PackageChange]:
    sides = [(0, each) for each in a.packages] + [(1, each) for each in b.packages]
    sides.sort(key=lambda side: (side[1].system, side[1].name, side[0]))
    for _, of_name in groupby(sides, key=lambda side: (side[1].system, side[1].name)):
        both: tuple[list[Package], list[Package]] = ([], [])
        for side, package in of_name:
            both[side].append(package)
        yield from _of_one_name(*both)


def _of_one_name(before: list[Package], after: list[Package]) -> Iterator[PackageChange]:
    # The same place first; what is left, as after a move to another folder, in order.
    pairs = []
    for package in list(before):
        same = [each for each in after if _place(each) == _place(package)]
        if same:
            pairs.append((package, same[0]))
            before.remove(package)
            after.remove(same[0])
    common = min(len(before), len(after))
    pairs += zip(before[:common], after[:common], strict=True)
    for old, new in pairs:
        hashes = tuple(kind for kind in (DEB, LOCKED, FILES) if _differ(old, new, kind))
        if old.version != new.version:
            yield PackageChange(VERSION, old, new)
        elif hashes:
            yield PackageChange(HASH, old, new, hashes)
    for old in before[common:]:
        yield PackageChange(REMOVED, old, None)
    for new in after[common:]:
        yield PackageChange(ADDED, None, new)


def _place(package: Package) -> str:
    """A folder of Python packages has Python's version in its name, which moves with it."""
    return re.sub(r"/python3\.\d+/", "/python3/", package.place)


def _differ(old: Package, new: Package, kind: str) -> bool:
    first, second = old.of_kind(kind), new.of_kind(kind)
    return bool(first and second and first != second)


def _side(package: Package | None) -> dict[str, Any] | None:
    if package is None:
        return None
    kinds = {kind: list(package.of_kind(kind)) for kind in (DEB, LOCKED, FILES)}
    return {
        "version": package.version,
        "place": package.place,
        "hashes": {kind: values for kind, values in kinds.items() if values},
    }
