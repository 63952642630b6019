"""A run's record as the board needs it: the file that the ledger names, and of that run.

`seedlock round verify` holds records against their whole schema; at 10,000 of them a board can't
wait for that. Here the bytes are held against the ledger's hash, and what a score depends on
against the round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording import record
from seedlock.evaluation.rounds.canonical import sha256, strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.recording.metrics import Metric


@dataclass(frozen=True)
class Expected:
    """What the round says about a run.

    Attributes:
        path: of the record, below the round's folder.
        sha256: of its bytes, 64 hexadecimal digits; None where nothing names it yet.
        submission: digest.
        seed_index, attempt: the run's.
        seed: None while the seeds are hidden.
        outcome: class of its end; None where nothing but the record says it.
        levels: at which it may have run.
        metrics: declared by the policy.
    """

    path: str
    sha256: str | None
    submission: str
    seed_index: int
    attempt: int
    seed: int | None
    outcome: str | None
    levels: Sequence[str]
    metrics: Sequence[Metric]


@dataclass(frozen=True)
class Seen:
    """What a record says.

    Attributes:
        sha256: of its bytes, 64 hexadecimal digits; None where it is not here.
        outcome: class of its end, or None.
        reasons: of the end.
        seconds: the run took, or None.
        hardware: the machine in a line, or None.
        metrics: final values of the policy's metrics.
        problem: why none of it may be used, or None.
    """

    sha256: str | None = None
    outcome: str | None = None
    reasons: Sequence[str] = ()
    seconds: float | None = None
    hardware: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None


def read(folder: Path, expected: Expected) -> Seen:
    """Return what a record says, or why it can't be used; nothing about a record raises.

    Args:
        folder: the round's.
        expected: what it has to be.
    """
    plain = PurePosixPath(expected.path)
    if "\0" in expected.path or plain.is_absolute() or ".." in plain.parts:
        return Seen(problem="is no path below the round's folder")
    path = folder / plain
    try:
        if not path.is_file():
            return Seen(problem="is not here")
        if path.stat().st_size > record.LARGEST:
            return Seen(problem="is too large to be a record")
        raw = path.read_bytes()
    except OSError as problem:
        return Seen(problem=f"can't be read: {problem.strerror}")
    digest = sha256(raw)[7:]
    if expected.sha256 not in (None, digest):
        return Seen(digest, problem="is another file than was recorded")
    try:
        return _seen(digest, strict(raw), expected)
    except _Unlike as unlike:
        return Seen(digest, problem=str(unlike))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return Seen(digest, problem="is no record of a run")


class _Unlike(Exception):
    """A record is not the one of this run."""


def _seen(digest: str, content: dict[str, Any], expected: Expected) -> Seen:
    if (content["format"], content["version"]) != (record.FORMAT, record.VERSION):
        raise _Unlike("is of another format or version")
    if content["status"] != record.COMPLETE:
        raise _Unlike("says that its run goes on")
    of = content["submission"] or content["source"]
    if of["digest"] != expected.submission:
        raise _Unlike("is of another submission")
    place = content.get("round", {"seed_index": expected.seed_index, "attempt": expected.attempt})
    if (place["seed_index"], place["attempt"]) != (expected.seed_index, expected.attempt):
        raise _Unlike("is of another run of this submission")
    if expected.seed not in (None, content["seed"]):
        raise _Unlike("ran under another seed than that of its index")
    if content["level"] not in expected.levels:
        raise _Unlike("ran at another level than the policy says")
    outcome = content["outcome"]["class"]
    if expected.outcome not in (None, outcome):
        raise _Unlike("ended otherwise than the ledger says")
    return Seen(
        digest, outcome, [str(each) for each in content["outcome"]["reasons"]],
        _seconds(content["usage"].get("wall_s")), hardware(content["host"]),
        _metrics(content["metrics"], expected.metrics) if outcome == record.DONE else {},
    )  # fmt: skip


def _metrics(content: dict[str, Any], wanted: Sequence[Metric]) -> dict[str, float]:
    declared = {each["name"]: each["direction"] for each in content["declared"]}
    found = {}
    for metric in wanted:
        if declared.get(metric.name) != metric.direction:
            raise _Unlike(f"does not declare metric {metric.name} as the policy does")
        value = content["final"].get(metric.name)
        if not _is_number(value) or not math.isfinite(value):
            raise _Unlike(f"ended well without a number for metric {metric.name}")
        found[metric.name] = float(value)
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seconds(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def hardware(host: Mapping[str, Any]) -> str | None:
    """Return a machine in a line: processor, how many of it the run could use, GPUs.

    None where the record does not say; runtimes of other machines can't be compared with it.
    """
    cpu, threads, gpu = (host.get(key) or {} for key in ("cpu", "threads", "gpu"))
    model = " ".join(str(cpu.get("model") or cpu.get("machine") or "").split())
    if not model:
        return None
    usable = threads.get("usable") or threads.get("processors")
    cards = [str(each.get("name", "GPU")) for each in gpu.get("devices") or ()]
    counted = [f"{cards.count(name)} x {name}" if cards.count(name) > 1 else name
               for name in sorted(set(cards))]  # fmt: skip
    return ", ".join([model, *([f"{usable} processors"] if usable else []), *counted])
