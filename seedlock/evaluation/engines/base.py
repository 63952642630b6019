"""One run of a round as a unit of work, and what an engine does with it."""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.evaluation import full_disk
from seedlock.evaluation.recording.record import (
    AUTHOR,
    CHANGED,
    DONE,
    INFRASTRUCTURE,
    INTERRUPTED,
    LIMIT,
    METRICS,
    NOT_LOCKED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AUTHORS = 42
"""What a unit ends with when the author's program, and nothing else, went wrong. Schedulers are
told to try again on no such status."""

FAILED_HERE = 75
"""EX_TEMPFAIL of sysexits.h: the machine failed, or the supervisor did; another attempt may do."""

DISK_FULL = full_disk.EXIT_DISK_FULL

EXIT_STATUSES = {
    DONE: 0, AUTHOR: AUTHORS, METRICS: AUTHORS, NOT_LOCKED: AUTHORS, CHANGED: AUTHORS, LIMIT: 124,
    INFRASTRUCTURE: FAILED_HERE, INTERRUPTED: 130,
}  # fmt: skip
"""What `seedlock unit` ends with, by the class of the record's outcome.

It is the supervisor's finding. What the author's program itself ended with is in the record only:
no status of its own gets it another try."""


@dataclass(frozen=True)
class Unit:
    """One run of a round, with all that a node has to know.

    It holds the seed, which is secret until the reveal: a file of it has mode 0600
    (`write_unit`) and is removed at the end, and no part of it goes on a command line.

    Attributes:
        round: the round's name.
        policy: digest of its policy.
        submission: digest of the submission as it was frozen, `sha256:...`.
        name: the submission's name.
        folder: absolute path of its folder, with submission.toml.
        seed_index: which of the round's seeds, from 0.
        attempt: from 1.
        seed: root seed.
        level: REPRO_LEVEL.
        image: id of the image to run in, or None for this node's own environment.
        image_name: what the engine's user calls it.
        limits: what the run may take, as `Limits.as_dict` has it.
        accept: promises of the seal that the run can do without.
        metrics: name, direction and unit of each declared one.
        output: absolute path of the folder for its artifacts, new.
        record: absolute path of its record.
        sealed: whether it runs sealed. Without, only its time is limited.
        variables: further ones for the run, as CUDA_VISIBLE_DEVICES.
        cpus: numbers of the processors that it runs on; empty for any.
        gpus: names of the GPUs that its container gets, as the engine has them; empty for none.
        trace: REPRO_TRACE.
        trace_steps: REPRO_TRACE_STEPS; empty for all steps.
        in_git: whether git, where the folder lies in a repository, tells which files are handed in;
            without, all of them are.
    """

    round: str
    policy: str
    submission: str
    name: str
    folder: str
    seed_index: int
    attempt: int
    seed: int
    level: str
    limits: Mapping[str, float]
    output: str
    record: str
    image: str | None = None
    image_name: str | None = None
    accept: tuple[str, ...] = ()
    metrics: tuple[tuple[str, str, str], ...] = ()
    sealed: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    trace: str = "step"
    trace_steps: str = ""
    in_git: bool = True

    @property
    def title(self) -> str:
        """What people, logs and schedulers may see of it."""
        return f"{self.name}/{self.seed_index}-{self.attempt}"

    def as_json(self) -> str:
        """Return it as one line of JSON, with the seed."""
        return json.dumps(asdict(self), sort_keys=True)


class Ended(NamedTuple):
    """A unit that has ended.

    Attributes:
        unit: which.
        exit_status: of the unit's program (`EXIT_STATUSES`, `DISK_FULL`); None where it is not
            known, as of one that was killed or a node that went away.
        note: what there is to say of it; may be empty.
        printed: whether the note is what the unit's program printed last, and not the engine's.
    """

    unit: Unit
    exit_status: int | None
    note: str = ""
    printed: bool = False


class Engine(ABC):
    """What carries units out. A caller starts at most `slots` at a time and asks `poll` again and
    again.

    Attributes:
        name: `process`, `docker`, `slurm` or `kubernetes`.
        slots: how many units it can have under way.
    """

    name: str
    slots: int

    @abstractmethod
    def start(self, unit: Unit) -> str:
        """Start a unit; return the engine's id for it, as `process 4711` or `slurm 17_3`.

        Raises:
            OSError: it can't be started, and no other could; nothing was. The evaluation then
                waits for what is under way and ends.
        """

    @abstractmethod
    def poll(self, seconds: float = 0.0) -> list[Ended]:
        """Return the units that have ended since the last call, each once.

        Args:
            seconds: how long to wait for one at most.
        """

    @abstractmethod
    def stop(self, unit: Unit, at_once: bool) -> None:
        """Begin to end a unit; `poll` returns it when it has ended. One that has is left alone."""

    @abstractmethod
    def close(self) -> None:
        """End what is under way, at once, and leave nothing behind. May be called twice."""

    def clear_away(self, units: Path) -> None:
        """Remove what an evaluation of this round that was killed has left behind.

        Args:
            units: absolute path of the folder below which all outputs of the round lie.
        """


def write_unit(folder: Path, unit: Unit) -> Path:
    """Write a unit's file for a node that reads it, mode 0600; return its path.

    Whoever wrote it removes it when the unit has ended.

    Raises:
        OSError: it can't be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{unit.name}-{unit.seed_index}-{unit.attempt}.json"
    temporary = path.with_suffix(".tmp")
    with full_disk.naming(path):
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(number, "w") as file:
            file.write(unit.as_json())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    return path


def words(path: str) -> list[str]:
    """Return the command that carries out the unit in a file, on a node with this environment."""
    return [sys.executable, "-m", "seedlock", "unit", path]


def read_unit(path: Path) -> Unit:
    """Return the unit in a file that `write_unit` wrote.

    Raises:
        OSError, ValueError: it can't be read, or is no such file.
    """
    return unit_of(json.loads(path.read_text()))


def unit_of(content: dict[str, Any]) -> Unit:
    """Return the unit that JSON describes.

    Raises:
        ValueError: it is none.
    """
    known = {each.name for each in fields(Unit)}
    if not isinstance(content, dict) or not set(content) <= known:
        raise ValueError("no unit of this seedlock")
    lists = {name: tuple(content.get(name, ())) for name in ("accept", "cpus", "gpus")}
    metrics = tuple((name, direction, text) for name, direction, text in content.get("metrics", ()))
    given: dict[str, Any] = {**content, **lists, "metrics": metrics}
    try:
        return Unit(**given)
    except TypeError as problem:
        raise ValueError(f"no unit: {problem}") from problem
