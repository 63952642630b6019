"""What an image, an environment or a folder of locks is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

DEBIAN = "debian"
PYTHON = "python"

LOCKED = "locked"
"""Kind of hash: SHA-256 of the files of which a lock of pip's allows any: wheels for several
machines, and sources."""

DEB = "deb"
"""Kind of hash: SHA-256 of the .deb that a lock names."""

FILES = "files"
"""Kind of hash: SHA-256 over the installer's list of what is installed (`manifest_probe.py`)."""


class Package(NamedTuple):
    """A package.

    Attributes:
        system: `DEBIAN` or `PYTHON`.
        name: of a Python package, as PEP 503 normalises it.
        version: as its system writes it.
        place: a Debian package's architecture; a Python package's folder, empty in a lock.
        hashes: pairs of a kind and its SHA-256, sorted.
    """

    system: str
    name: str
    version: str
    place: str
    hashes: tuple[tuple[str, str], ...] = ()

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Return the hashes of one kind, sorted."""
        return tuple(value for each, value in self.hashes if each == kind)


class Base(NamedTuple):
    """What an image was built on.

    Attributes:
        name: its name and tag.
        digest: `sha256:...`, or empty where the image does not say.
        layer: digest of its first layer's content, for a base without a digest; or empty.
    """

    name: str
    digest: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Manifest:
    """A bill of materials.

    Attributes:
        kind: `image`, `environment` or `locks`.
        name: the image's, the environment's folder, the locks' folder.
        identity: an image's id, else empty. Another build of equal materials may have another.
        seedlock: version of the seedlock in it, empty without one.
        revision: commit that an image was built from, empty if it does not say.
        base: of an image or a folder of locks.
        system: name and version of the distribution, empty if unknown.
        locks: SHA-256 of the lock files by their names.
        packages: sorted.
    """

    kind: str
    name: str
    identity: str = ""
    seedlock: str = ""
    revision: str = ""
    base: Base | None = None
    system: tuple[str, str] = ("", "")
    locks: dict[str, str] = field(default_factory=dict)
    packages: tuple[Package, ...] = ()

    def of_system(self, system: str) -> list[Package]:
        """Return the packages of `DEBIAN` or `PYTHON`."""
        return [package for package in self.packages if package.system == system]


def normalised(name: str) -> str:
    """Return a Python package's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(facts: dict[str, Any], locked: Iterable[Package]) -> tuple[Package, ...]:
    """Return what the probe found, with the hashes that the locks have for the same versions.

    Args:
        facts: of `manifest_probe.facts`.
        locked: the packages of the locks.
    """
    hashes = {(each.system, each.name, each.version): each.hashes for each in locked}
    found = []
    for system, places in ((DEBIAN, "architecture"), (PYTHON, "folder")):
        for fact in facts[system]:
            name = normalised(fact["name"]) if system == PYTHON else fact["name"]
            own = [(FILES, fact["files"])] if "files" in fact else []
            own += hashes.get((system, name, fact["version"]), ())
            found.append(
                Package(system, name, fact["version"], fact[places], tuple(sorted(own)))
            )  # fmt: skip
    return tuple(sorted(found))
