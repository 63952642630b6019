"""A manifest, and what differs between two, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.evaluation.manifest import DEB, DEBIAN, FILES, LOCKED, PYTHON
from seedlock.evaluation.manifest_diff import CHANGES, HASH, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedlock.evaluation.manifest import Manifest, Package
    from seedlock.evaluation.manifest_diff import Difference, PackageChange

SYSTEMS = {DEBIAN: "Debian", PYTHON: "Python"}

SHOWN = 12
"""Characters of a package's hash that are shown; JSON has all."""

UNKNOWN = "-"


def lines(manifest: Manifest) -> Iterator[str]:
    """Yield what a manifest holds."""
    yield f"{manifest.kind} {manifest.name}"
    base = manifest.base
    facts = {
        "id": manifest.identity,
        "base": base.name if base else "",
        "base digest": base.digest if base else "",
        "base layer": base.layer if base else "",
        "system": " ".join(manifest.system).strip(),
        "seedlock": manifest.seedlock,
        "revision": manifest.revision,
        **{f"lock {name}": digest for name, digest in manifest.locks.items()},
    }
    for name, value in facts.items():
        if value or not (name == "id" or name.startswith("base")):
            yield f"  {name:<20} {value or UNKNOWN}"
    for system, title in SYSTEMS.items():
        packages = manifest.of_system(system)
        locked = sum(bool(each.of_kind(DEB) or each.of_kind(LOCKED)) for each in packages)
        yield f"{len(packages)} {title} packages, {locked} of them with the SHA-256 of a lock"
        yield from (f"  {each.name:<26} {each.version:<26} {_hashes(each)}" for each in packages)


def _hashes(package: Package) -> str:
    deb, locked, files = (package.of_kind(kind) for kind in (DEB, LOCKED, FILES))
    texts = [f"deb {each[:SHOWN]}" for each in deb]
    texts += [f"locked {locked[0][:SHOWN]}" if len(locked) == 1 else f"one of {len(locked)} locked"
              ] if locked else []  # fmt: skip
    return ", ".join([*texts, *(f"files {each[:SHOWN]}" for each in files)])


def lines_of_difference(a: Manifest, b: Manifest, difference: Difference) -> Iterator[str]:
    """Yield what differs, the verdict first."""
    yield "DIFFERENT" if difference else "EQUAL"
    for name, manifest in (("A", a), ("B", b)):
        yield f"  {name}: {manifest.kind} {manifest.name} {manifest.identity}".rstrip()
    for name, before, after in difference.facts:
        yield f"{name:<20} {before or UNKNOWN} -> {after or UNKNOWN}"
    for system, title in SYSTEMS.items():
        changes = [each for each in difference.packages if each.package.system == system]
        numbers = [
            f"{sum(each.change == change for each in changes)} {change}" for change in CHANGES
        ]
        yield (
            f"{title} packages: {len(a.of_system(system))} in A, {len(b.of_system(system))} in B: "
            + (", ".join(numbers))
        )
        for change in CHANGES:
            yield from (
                f"  {change:<14} {_change(each)}" for each in changes if each.change == change
            )
    if not difference and a.identity != b.identity:
        yield "the same materials in two builds: the images' own ids differ"


def _change(change: PackageChange) -> str:
    before, after = change.before, change.after
    name = change.package.name
    if before is None or after is None:
        place = change.package.place if change.package.system == PYTHON else ""
        return f"{name:<26} {change.package.version:<26} {place}".rstrip()
    if change.change == VERSION:
        return f"{name:<26} {before.version} -> {after.version}"
    assert change.change == HASH
    moves = [
        f"{kind} {_short(before.of_kind(kind))} -> {_short(after.of_kind(kind))}"
        for kind in change.hashes
    ]
    return f"{name:<26} {after.version}: {', '.join(moves)}"


def _short(values: tuple[str, ...]) -> str:
    return values[0][:SHOWN] if len(values) == 1 else f"{len(values)} hashes"
