"""Read the files of version-lock/: packages with their hashes, and the base image."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from seedlock.errors import BadLock
from seedlock.evaluation.manifest import DEB, DEBIAN, LOCKED, PYTHON, Base, Package, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBIAN_LOCK = "debian.lock"
IMAGES_LOCK = "images.lock"

IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_version": "3.11",
    "python_full_version": "3.11.2",
    "sys_platform": "linux",
}
"""What decides a lock's markers for the images, as version-lock/checks/pins.py has it."""

DEBIAN_LINE = re.compile(r"([0-9a-f]{64})  ([^_\s]+)_([^_\s]+)_([^_\s]+)\.deb")
EXACT = re.compile("==[^=*]+")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def locked(texts: dict[str, str]) -> list[Package]:
    """Return the packages of locks, of which `DEBIAN_LOCK` is Debian's and others pip's.

    Raises:
        BadLock: a line is none of a lock, or there is none at all.
    """
    found: list[Package] = []
    for name, text in texts.items():
        if name.endswith(".lock") and name != IMAGES_LOCK:
            of_file = list(debian(name, text) if name == DEBIAN_LOCK else python(name, text))
            if not of_file:
                raise BadLock(f"{name}: no package in it")
            found += of_file
    return found


def debian(file: str, text: str) -> Iterator[Package]:
    """Yield the packages of lines `sha256  name_version_architecture.deb`.

    Raises:
        BadLock: a line is another.
    """
    for line in text.splitlines():
        if line and not line.startswith("#"):
            fields = DEBIAN_LINE.fullmatch(line)
            if fields is None:
                raise BadLock(f"{file}: not `sha256  name_version_architecture.deb`: {line[:80]}")
            sha256, name, version, architecture = fields.groups()
            # A colon in a version, before Debian's epoch, is %3a in a file's name.
            yield Package(DEBIAN, name, unquote(version), architecture, ((DEB, sha256),))


def python(file: str, text: str) -> Iterator[Package]:
    """Yield the packages that a lock of pip's has for the images' machine.

    Raises:
        BadLock: a requirement is not `name==version` with at least one SHA-256, or its marker
            says nothing.
    """
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        try:
            pin = Requirement(HASH.sub("", line).strip())
        except InvalidRequirement as problem:
            raise BadLock(f"{file}: not a requirement: {line[:80]}") from problem
        versions = [each.version for each in pin.specifier if EXACT.fullmatch(str(each))]
        hashes = sorted(HASH.findall(line))
        if len(pin.specifier) != 1 or not versions or not hashes:
            raise BadLock(f"{file}: {pin.name} has no exact version with a SHA-256")
        try:
            ours = pin.marker is None or pin.marker.evaluate(dict(IMAGE))
        except (UndefinedComparison, UndefinedEnvironmentName) as problem:
            raise BadLock(f"{file}: a marker without an answer: {line[:80]}") from problem
        if ours:
            allowed = tuple((LOCKED, each) for each in hashes)
            yield Package(PYTHON, normalised(pin.name), versions[0], "", allowed)


def base(text: str) -> Base | None:
    """Return the image that the line `base name:tag@digest` of images.lock names."""
    for line in text.splitlines():
        name, _, reference = line.partition(" ")
        if name == "base":
            return named_base(reference.strip())
    return None


def named_base(reference: str) -> Base:
    """Return what `name:tag@sha256:...` says."""
    name, _, digest = reference.partition("@")
    return Base(name, digest)


def digests(texts: dict[str, str]) -> dict[str, str]:
    """Return the SHA-256 of each file, by name."""
    return {name: hashlib.sha256(texts[name].encode()).hexdigest() for name in sorted(texts)}
