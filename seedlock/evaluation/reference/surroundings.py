"""What a measurement was made with: locks, packages, seedlock itself, the machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import seedlock
from seedlock import __version__
from seedlock.derivation import SCHEME
from seedlock.errors import Drift, printable
from seedlock.evaluation.reference.reference_errors import BadReference
from seedlock.evaluation.rounds.canonical import canonical, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCKS = ("cpu.lock", "programs.lock")
"""Files that say what the models are trained with."""

PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
"""Name and version of a line of a lock."""

SHOWN_DRIFT = 5
"""Packages that a line names at most."""

HELD = ("system", "kernel", "memory_bytes", "cpu")
"""Facts of the machine that are kept: nothing in them names it or its user."""

PROBE = """
import importlib.metadata, json, platform, re
found = {}
for each in importlib.metadata.distributions():
    name = each.metadata["Name"]
    if name:
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), each.version)
print(json.dumps({"python": platform.python_version(), "packages": found}))
"""


@dataclass(frozen=True)
class Surroundings:
    """What decides the bits of all runs of a measurement, but for the programs.

    Attributes:
        lock: digest of each of `LOCKS`, by its name.
        python: version of the interpreter.
        packages: version of each package that a lock names and that is there.
        code: digest of seedlock's own files.
    """

    lock: dict[str, str]
    python: str
    packages: dict[str, str]
    code: str

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it, JSON-ready."""
        return {
            "seedlock": __version__,
            "scheme": SCHEME,
            "lock": self.lock,
            "python": self.python,
            "packages": self.packages,
        }


@dataclass(frozen=True)
class Terms:
    """What stands for a round's policy where there is no round.

    Attributes:
        name: of all runs together.
        digest: of all that decides their bits: a measurement that was ended in the middle goes on
            only where nothing of it has changed.
        level: REPRO_LEVEL.
    """

    name: str
    digest: str
    level: str


def terms(of: Surroundings, level: str, seeds: int, programs: Mapping[str, str]) -> Terms:
    """Return the terms of a measurement.

    Args:
        of: what it is made with.
        level: REPRO_LEVEL.
        seeds: how many.
        programs: digests of the models' submissions, by their names.
    """
    content = {
        **of.as_dict(), "code": of.code, "level": level, "seeds": seeds, "programs": dict(programs),
    }  # fmt: skip
    return Terms("reference", sha256(canonical(content)), level)


def look(locks: Path, environ: Mapping[str, str]) -> Surroundings:
    """Return what the interpreter that seedlock runs in has.

    Args:
        locks: folder with `LOCKS`.
        environ: this process's environment, with which the models will run.

    Raises:
        BadReference: a lock can't be read.
        Drift: a package is there in another version than a lock names.
    """
    texts = {name: _lock(locks / name) for name in LOCKS}
    pins = _pins(texts)
    plain = {name: value for name, value in environ.items() if not name.startswith("REPRO_")}
    # From a folder of its own: what lies in this one is nobody's package.
    asked = subprocess.run(
        [sys.executable, "-c", PROBE], env=plain, capture_output=True, cwd="/", check=True
    )
    found = json.loads(asked.stdout)
    packages = {
        name: version for name, version in sorted(found["packages"].items()) if name in pins
    }
    _refuse_drift(packages, pins, locks)
    digests = {name: sha256(raw) for name, raw in texts.items()}
    return Surroundings(digests, found["python"], packages, _code())


def host(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a record's facts of the machine."""
    found = {name: facts.get(name) for name in HELD}
    return {**found, "processors": (facts.get("threads") or {}).get("processors")}


def _pins(texts: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """Return the versions that locks name, by package, each with the lock: a package has several
    where they depend on the machine."""
    found: dict[str, dict[str, str]] = {}
    for lock, text in texts.items():
        for name, version in PIN.findall(text.decode(errors="replace")):
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), {}).setdefault(version, lock)
    return found


def _refuse_drift(
    packages: Mapping[str, str], pins: Mapping[str, Mapping[str, str]], locks: Path
) -> None:
    """What is stored names its locks: they have to be those of what was trained with."""
    drift = [
        f"{name} is {version} and {next(iter(pins[name].values()))} names {' or '.join(pins[name])}"
        for name, version in packages.items() if version not in pins[name]
    ]  # fmt: skip
    if drift:
        more = f", and {len(drift) - SHOWN_DRIFT} more" if len(drift) > SHOWN_DRIFT else ""
        raise Drift(
            f"{', '.join(drift[:SHOWN_DRIFT])}{more}; allowed: what the locks in "
            f"{printable(str(locks), 200)} name; install that (make venv), or say --locks FOLDER "
            "with the locks of what is installed"
        )


def _lock(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise BadReference(
            f"{printable(str(path), 200)} can't be read: {os.strerror(problem.errno or 5)}; "
            f"allowed: a folder with {' and '.join(LOCKS)}; say --locks FOLDER"
        ) from problem


def _code() -> str:
    """Return the digest of seedlock's own files: who works on it has the same version for long."""
    whole = hashlib.sha256()
    folder = Path(seedlock.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        whole.update(f"{path.relative_to(folder)}\n".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()
