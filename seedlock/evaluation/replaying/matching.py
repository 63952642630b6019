"""Is what a record describes what is here? Each difference has a name, what was expected and what
was got."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import registry, settings
from seedlock.derivation import SCHEME
from seedlock.evaluation.file_digests import PREFIX, NotDigestible, digest_of
from seedlock.evaluation.recording.source import ABSENT, LISTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seedlock.evaluation.recording.source import Source

NONE = "none"

LARGEST_LISTING = 64 << 20
"""Bytes of a listing of a source that is read at all."""


@dataclass(frozen=True)
class Mismatch:
    """Something that is not what the record says.

    Attributes:
        what: `image`, `lock`, `package numpy`, `source`, `source train.py`, `data digits`, ...
        expected, got: digests, versions or words.
    """

    what: str
    expected: str
    got: str

    def as_dict(self) -> dict[str, str]:
        """Return it, JSON-ready."""
        return asdict(self)


def of_scheme(content: Mapping[str, Any]) -> list[Mismatch]:
    """Compare how seeds are derived."""
    same = content["scheme"] == SCHEME
    return [] if same else [Mismatch("derivation of seeds", content["scheme"], SCHEME)]


def of_lock(content: Mapping[str, Any], environ: Mapping[str, str]) -> list[Mismatch]:
    """Compare the lock file in force here, what drifted from it, and Python's version.

    It is this interpreter's; a program that another one runs is looked at again when it has run
    (`of_replay`).
    """
    found = _differing("Python", content["host"].get("python"), _python())
    recorded = content["lock"]
    path = registry.lock_file(environ.get(settings.LOCK_FILE) or None)
    expected = recorded["sha256"] if recorded else NONE
    got = NONE
    if path is not None:
        try:
            got = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError as problem:
            got = f"{path}: {os.strerror(problem.errno or 0)}"
    if expected != got:
        return [*found, Mismatch("lock", expected, got), *_libraries(content)]
    if recorded is None:
        return [*found, *_libraries(content)]
    locked = registry.locked_versions(path)
    installed = registry.installed_versions(set(locked))
    drift = {name: of for name, of in locked.items() if installed.get(name) != of}
    for name in sorted({*drift, *recorded["drift"]}):
        before = recorded["drift"].get(name)
        if not isinstance(before, dict):
            before = {"installed": locked.get(name)}
        found += _differing(f"package {name}", before.get("installed"), installed.get(name))
    return found


def of_source(content: Mapping[str, Any], now: Source, artifacts: Path) -> list[Mismatch]:
    """Compare the working tree and its revision.

    Args:
        content: the record, which has a source.
        now: what is there.
        artifacts: folder of the recorded run, whose listing names the files.
    """
    recorded = content["source"]
    found = []
    if recorded["digest"] != now.digest:
        found.append(Mismatch("source", recorded["digest"], now.digest))
        found += _files(recorded, now, artifacts)
    if recorded["revision"] and now.revision:
        found += _differing("revision", recorded["revision"], now.revision)
    return found


def of_data(content: Mapping[str, Any], places: Mapping[str, Path]) -> list[Mismatch]:
    """Compare the declared data.

    Args:
        content: the record.
        places: where each set lies that was found (`sets.found`).
    """
    found = []
    for each in content["data"]:
        name, expected = each["name"], each["sha256"]
        path = places.get(name)
        got = ABSENT
        if path is not None:
            try:
                got = digest_of(path).digest
            except (OSError, NotDigestible) as problem:
                got = f"can't be read: {problem}"
        found += _differing(f"data {name}", expected, got)
    return found


def place_of(name: str, folders: Iterable[Path]) -> Path | None:
    """Return where a declared set is, None where it is not; the first folder that has it counts."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        return None
    return next((path for each in folders if (path := each / name).exists()), None)


def of_replay(recorded: Mapping[str, Any], replayed: Mapping[str, Any]) -> list[Mismatch]:
    """Compare what only the replay's own processes can tell: their lock and their versions."""
    one, other = ((each["lock"] or {}).get("sha256", NONE) for each in (recorded, replayed))
    found = _differing("lock", one, other)
    found += _differing("Python", recorded["host"].get("python"), replayed["host"].get("python"))
    before, after = _versions(recorded), _versions(replayed)
    for name in sorted({*before} & {*after}):
        found += _differing(f"package {name}", before[name], after[name])
    return found


def _differing(what: str, expected: object, got: object) -> list[Mismatch]:
    if expected == got or (expected is None and what == "Python"):
        return []
    return [Mismatch(what, str(expected or ABSENT), str(got or ABSENT))]


def _python() -> str:
    import platform

    return platform.python_version()


def _files(recorded: Mapping[str, Any], now: Source, artifacts: Path) -> list[Mismatch]:
    """Name the files that differ, by the listing beside the run or, without it, by those that
    differed from the revision."""
    before = listed(artifacts, recorded["digest"])
    if before is None:
        before = {each["file"]: each["sha256"] or ABSENT for each in recorded["dirty"]}
        names = sorted({*before, *now.dirty})
        unknown = f"as in {recorded['revision']}" if recorded["revision"] else ABSENT
    else:
        unknown = ABSENT
        names = sorted({*before, *now.files})
    return [
        Mismatch(f"source {name}", expected, got)
        for name in names
        if (expected := before.get(name, unknown)) != (got := now.files.get(name, ABSENT))
    ]


def listed(artifacts: Path, digest: str) -> dict[str, str] | None:
    """Return the digest of each file of the recorded source; None where the listing is not there
    or is not the one that was recorded."""
    path = artifacts / LISTING
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_LISTING:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    if PREFIX + hashlib.sha256(content).hexdigest() != digest:
        return None
    lines = [os.fsdecode(line).partition("  ") for line in content.splitlines()]
    return {name: PREFIX + value for value, _, name in lines}


def _versions(content: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for report in content["processes"]:
        libraries = report.get("libraries")
        for name, of in libraries.items() if isinstance(libraries, dict) else ():
            if isinstance(of, dict) and isinstance(of.get("version"), str):
                found.setdefault(name, of["version"])
    return found


def _libraries(content: Mapping[str, Any]) -> list[Mismatch]:
    """Compare the locked libraries that the recorded run used with those that are installed."""
    found = []
    recorded = _versions(content)
    for entry in registry.REGISTRY:
        installed = registry.installed_versions(set(entry.distributions))
        if entry.name not in recorded or not entry.distributions:
            continue
        versions = set(installed.values())
        # A module's own version may leave out a local part that its distribution's name has.
        if registry.release(recorded[entry.name]) not in map(registry.release, versions):
            got = ", ".join(sorted(versions)) or ABSENT
            found.append(Mismatch(f"package {entry.name}", recorded[entry.name], got))
    return found
