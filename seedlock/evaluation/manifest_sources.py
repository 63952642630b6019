"""Where a manifest comes from: this environment, an image, a folder of locks, or a file."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from seedlock import registry, settings
from seedlock.errors import BadLock, BadManifest, NotReproBase
from seedlock.evaluation import lock_files, manifest_probe
from seedlock.evaluation.image_facts import (
    ALLOWED,
    BASE_LABEL,
    LOCK_LABEL,
    REVISION_LABEL,
    image_facts,
)
from seedlock.evaluation.lock_files import DEBIAN_LOCK, IMAGES_LOCK
from seedlock.evaluation.manifest import PYTHON, Base, Manifest, Package, packages

if TYPE_CHECKING:
    from collections.abc import Mapping

CPU_LOCK = "cpu.lock"

LOCKS_ALLOWED = (
    f"allowed: a folder with {CPU_LOCK}, {DEBIAN_LOCK} and {IMAGES_LOCK}, as version-lock/, or "
    "another lock of Python packages in such a folder"
)


def of_anything(environ: Mapping[str, str], given: str) -> Manifest:
    """Return the manifest of what `given` names: a file, a folder of locks, else an image.

    Raises:
        SeedlockError: as the function for it says.
    """
    if os.path.isdir(given) or given.endswith(".lock"):
        return of_locks(given)
    if os.path.exists(given) or given.endswith(".json"):
        return of_file(given)
    return of_image(environ, given)


def of_file(path: str) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        BadManifest: the file can't be read, or holds none.
    """
    from seedlock.evaluation.bill_of_materials import manifest_of

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as problem:
        raise BadManifest(f"{path}: {problem.strerror}; name a file that is there") from problem
    except UnicodeDecodeError as problem:
        raise BadManifest(f"{path}: not JSON in UTF-8; name another file") from problem
    return manifest_of(text, path)


def of_environment(environ: Mapping[str, str]) -> Manifest:
    """Return the manifest of the environment that this process runs in.

    Python packages are those that this interpreter finds; of Debian's all of the machine.

    Raises:
        BadLock: a lock beside the constraints can't be read.
    """
    lock_file = registry.lock_file(environ.get(settings.LOCK_FILE) or None)
    folders = [
        folder
        for folder in dict.fromkeys(sys.path)
        if os.path.basename(folder) in manifest_probe.PACKAGE_FOLDERS and os.path.isdir(folder)
    ]
    found = manifest_probe.facts(folders, lock_file)
    inside = packages(found, lock_files.locked(found["locks"]))
    return Manifest(
        kind="environment",
        name=sys.prefix,
        seedlock=_seedlock(inside),
        system=_system(found["system"]),
        locks=_locks(found["locks"]),
        packages=inside,
    )


def of_image(environ: Mapping[str, str], image: str) -> Manifest:
    """Return the manifest of an image that the container engine holds.

    Raises:
        NoEngine, NoSuchImage: as `image_facts` says.
        NotReproBase: so it says, or the image's label names another lock than its files are.
        BadLock: a lock in the image can't be read.
    """
    facts = image_facts(environ, image)
    locks, wanted = _locks(facts.found["locks"]), facts.labels[LOCK_LABEL]
    if wanted not in locks.values():
        raise NotReproBase(
            f"{image}: its label {LOCK_LABEL} is {wanted}, but its files are of "
            f"{', '.join(f'{name} {digest}' for name, digest in locks.items()) or 'no lock'}; "
            f"{ALLOWED}"
        )
    named = lock_files.named_base(facts.labels.get(BASE_LABEL, ""))
    inside = packages(facts.found, lock_files.locked(facts.found["locks"]))
    return Manifest(
        kind="image",
        name=image,
        identity=facts.identity,
        seedlock=_seedlock(inside),
        revision=facts.labels.get(REVISION_LABEL, ""),
        base=Base(named.name, named.digest, facts.layers[0]),
        system=_system(facts.found["system"]),
        locks=locks,
        packages=inside,
    )


def of_locks(given: str) -> Manifest:
    """Return the manifest of what locks say, without any image.

    Args:
        given: a folder as version-lock/, of which cpu.lock is taken, or another lock of Python
            packages in such a folder.

    Raises:
        BadLock: a file is missing or is no lock.
    """
    folder, name = (given, CPU_LOCK) if os.path.isdir(given) else os.path.split(given)
    if not name.endswith(".lock") or name in (DEBIAN_LOCK, IMAGES_LOCK):
        raise BadLock(f"{given}: {LOCKS_ALLOWED}")
    texts = {each: _text(os.path.join(folder, each)) for each in (name, DEBIAN_LOCK, IMAGES_LOCK)}
    return Manifest(
        kind="locks",
        name=given,
        base=lock_files.base(texts[IMAGES_LOCK]),
        locks=lock_files.digests(texts),
        packages=tuple(sorted(lock_files.locked(texts))),
    )


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as problem:
        raise BadLock(f"{path}: {problem.strerror}; {LOCKS_ALLOWED}") from problem
    except UnicodeDecodeError as problem:
        raise BadLock(f"{path}: no text in UTF-8; {LOCKS_ALLOWED}") from problem


def _locks(texts: dict[str, str]) -> dict[str, str]:
    # The constraints record the digest of the lock that they were made from.
    recorded = re.findall(
        r"^# (\S+\.lock) sha256:([0-9a-f]{64})$", texts.get("constraints.txt", ""), re.MULTILINE
    )
    return dict(sorted({**dict(recorded), **lock_files.digests(texts)}.items()))


def _system(found: dict[str, str]) -> tuple[str, str]:
    return found.get("name", ""), found.get("version", "")


def _seedlock(inside: tuple[Package, ...]) -> str:
    versions = [each.version for each in inside if (each.system, each.name) == (PYTHON, "seedlock")]
    return versions[0] if versions else ""
