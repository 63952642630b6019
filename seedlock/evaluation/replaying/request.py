"""From a record back to what was asked for: command, environment, image, mounts."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock import settings
from seedlock.errors import BadRecord, printable
from seedlock.evaluation import container_engine
from seedlock.evaluation.data.providing import IN_CONTAINER
from seedlock.evaluation.plan import Plan
from seedlock.evaluation.replaying.matching import Mismatch
from seedlock.evaluation.replaying.seal_again import was_sealed
from seedlock.evaluation.sealing.sealed import SOURCE
from seedlock.reporting import ENVIRONMENT, SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.replaying.tolerance import Tolerance
    from seedlock.evaluation.sealing.limits import Limits

MACHINES = (
    "REPRO_REPORT", "REPRO_OUTPUT", "REPRO_DATA", "REPRO_LOCK_FILE", "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_PATH", "CUDA_CACHE_PATH", "TORCH_HOME",
    "TORCH_EXTENSIONS_DIR", "TORCHINDUCTOR_CACHE_DIR", "MXNET_HOME", "JAX_COMPILATION_CACHE_DIR",
)  # fmt: skip
"""Listed variables that say where something lies on a machine, or which of its devices are taken:
each machine has its own."""

VARIABLES = {
    "level": settings.LEVEL,
    "streams": settings.STREAMS,
    "lock": settings.LOCK,
    "tf32": settings.TF32,
    "user_seeds": settings.USER_SEEDS,
    "entropy": settings.ENTROPY,
    "entropy_allow": settings.ENTROPY_ALLOW,
}
"""A record's settings by their variables; PYTHONHASHSEED follows from them."""

_NAME = re.compile(r"[A-Z_][A-Z0-9_]*", re.IGNORECASE)
_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class Asked:
    """What was asked for.

    Attributes:
        record: the record's file.
        content: what it says.
        artifacts: folder of the recorded run, which may be gone.
        source: folder of the program; not looked at where the record has none.
        known: names of the source's files, where a bundle says them.
        bundled: whether all this comes from a bundle, whose paths are another machine's.
        data: folders that hold the declared sets by their names.
        locks: data.lock files that say of sets where they lie in the cache.
        sealed: whether to seal the replay, as the recorded run was.
        accept: promises of the seal that it can do without, besides those that the recorded run
            did without.
        image: whether to run in the record's image.
        mounts: in place of the recorded ones at the same places.
        anyway: whether to go on where something does not match.
        tolerances: by metric.
        timeout: seconds, or None for the recorded limit.
        output: folder for the replay, new or empty.
        limits: of a sealed replay, in place of the recorded ones; or None.
        record_sha256: `sha256:HEX` of the record's bytes, for whoever reads the result later; None
            where nobody does.
    """

    record: Path
    content: dict[str, Any]
    artifacts: Path
    source: Path
    output: Path
    known: frozenset[str] | None = None
    bundled: bool = False
    data: list[Path] = field(default_factory=list)
    locks: list[Path] = field(default_factory=list)
    sealed: bool = False
    accept: frozenset[str] = frozenset()
    image: bool = False
    mounts: list[container_engine.Mount] = field(default_factory=list)
    anyway: bool = False
    tolerances: dict[str, Tolerance] = field(default_factory=dict)
    timeout: float | None = None
    limits: Limits | None = None
    record_sha256: str | None = None

    @property
    def working_folder(self) -> Path:
        """Where the command runs.

        Raises:
            BadRecord: the record names no folder in the source.
        """
        source = self.content["source"] or {}
        inside = os.path.normpath(source.get("working_folder") or ".")
        if not _inside(inside):
            raise BadRecord(
                f"the record's working_folder is {printable(inside)}; allowed: a folder in the "
                "source"
            )
        return self.source / inside


def variables(content: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that the recorded run had, as far as its record says.

    The variables that a record lists are as they were, and those that it lists not are unset.
    What names a place on the machine, a device or a secret is this process's.

    Raises:
        BadRecord: a variable is none that a record may hold, or can't be set.
    """
    kept = {name: value for name, value in environ.items() if not _decides(name)}
    for name, value in content["environment"].items():
        if not _NAME.fullmatch(name) or not name.startswith(ENVIRONMENT) or not _plain(value):
            raise BadRecord(
                f"the record sets {printable(name)}; allowed: variables that decide results, as "
                "seedlock run --record lists them"
            )
        if _decides(name):
            kept[name] = value
    default = settings.Settings({settings.SEED: "0"}).as_dict()
    for key, name in VARIABLES.items():
        value = content["settings"].get(key)
        if value is not None and (not isinstance(value, str) or not _plain(value)):
            raise BadRecord(f"the record's setting {key} is no text; allowed: as in {name}")
        # A variable that nobody had set stays unset: the replay's record says the same.
        if value != kept.get(name, default[key]):
            kept.pop(name, None)
            kept.update({name: value} if value is not None else {})
    kept[settings.SEED] = str(content["seed"])
    return kept


def plan_of(asked: Asked, environ: Mapping[str, str]) -> tuple[Plan, list[Mismatch]]:
    """Return the plan of the recorded run, and what of it is not here.

    Called in the replay's working folder.

    Raises:
        BadRecord: command or image can't be what was run.
    """
    content = asked.content
    argv: list[str] = list(content["command"])
    if not argv[0] or not all(map(_plain, argv)):
        raise BadRecord("the record's command can't be run; allowed: words that are text")
    missing: list[Mismatch] = []
    image = None
    mounts: list[container_engine.Mount] = []
    if asked.image:
        image, missing = _image(content["image"], environ)
        mounts, absent = _mounts(asked)
        missing += absent
        if was_sealed(content) and not asked.sealed and content["source"] is not None:
            # As the seal had it.
            mounts = [container_engine.Mount(asked.source.resolve(), SOURCE), *mounts]
    elif shutil.which(argv[0], path=environ.get("PATH")) is None:
        missing.append(Mismatch("program", argv[0], "not there"))
        if Path(argv[0]).name.startswith("python"):
            argv[0] = sys.executable
    limits = content["limits"] or {}
    seconds = None if asked.sealed else asked.timeout or limits.get("seconds")
    plan = Plan(
        argv, asked.output, (content["seed"], content["seed"]), 1, 1,
        seconds if isinstance(seconds, (int, float)) and seconds > 0 else None, image, mounts,
        bool(image and content["image"].get("network")),
        trace=content["trace"]["mode"] if content["trace"] else "off",
    )  # fmt: skip
    return plan, missing


def _plain(text: str) -> bool:
    """Tell whether a text can be handed to a program."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _inside(path: str) -> bool:
    """Tell whether a normal path is one below where it begins."""
    return _plain(path) and not os.path.isabs(path) and path.split(os.sep)[0] != os.pardir


def _decides(name: str) -> bool:
    return (
        name.startswith(ENVIRONMENT)
        and name not in MACHINES
        and not any(word in name for word in SECRET)
    )


def _image(
    recorded: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[container_engine.Image | None, list[Mismatch]]:
    name, number = recorded["name"], recorded["id"]
    if not _ID.fullmatch(number) or name.startswith("-") or not _plain(name):
        raise BadRecord(
            f"the record's image is {printable(name)} with the id {printable(number)}; "
            "allowed: an id as sha256:HEX"
        )
    try:
        return dataclasses.replace(container_engine.look_up(environ, number), name=name), []
    except container_engine.EngineError as problem:
        refusal = str(problem)
    try:
        found = container_engine.look_up(environ, name)
    except container_engine.EngineError:
        return None, [Mismatch("image", f"{name} {number}", refusal)]
    return found, [Mismatch("image", f"{name} {number}", f"{name} {found.digest}")]


def _mounts(asked: Asked) -> tuple[list[container_engine.Mount], list[Mismatch]]:
    """Return the recorded mounts, those that were given in their stead, and those that lack.

    Declared data is found in its own ways (`sets.found`). A bundle is somebody else's: a path of
    their machine names no folder of this one.
    """
    data = {f"{IN_CONTAINER}/{each['name']}" for each in asked.content["data"]}
    given = {mount.there: mount for mount in asked.mounts if mount.there not in data}
    found, missing = [], []
    for each in asked.content["image"].get("mounts", ()):
        here, there = each["here"], each["there"]
        if there in given or there in data:
            continue
        inside = os.path.normpath(here)
        if os.path.isabs(here) and asked.bundled:
            missing.append(Mismatch(f"mount {there}", here, "another machine's; say --mount"))
        elif not (_plain(here + there) and (os.path.isabs(here) or _inside(inside))):
            raise BadRecord(f"the record mounts {printable(here)}; allowed: below the source")
        else:
            try:
                found.append(container_engine.mount(f"{asked.source / here}:{there}"))
            except container_engine.EngineError:
                missing.append(Mismatch(f"mount {there}", here, "not there, or not allowed"))
    return [*found, *given.values()], missing


def artifacts_of(record: Path, content: Mapping[str, Any]) -> Path:
    """Return the folder of a recorded run, which may be gone."""
    named = content["artifacts"]
    if named is None or not _plain(named):
        return record.with_suffix("")
    return Path(os.path.normpath(record.parent / named))


def source_of(content: Mapping[str, Any]) -> Path:
    """Return the folder that held the source, if the command ran in this working folder."""
    inside = os.path.normpath((content["source"] or {}).get("working_folder") or ".")
    here = Path.cwd()
    parts = () if inside == "." else Path(inside).parts
    above = len(here.parts) - len(parts)
    return Path(*here.parts[:above]) if parts and here.parts[above:] == parts else here
