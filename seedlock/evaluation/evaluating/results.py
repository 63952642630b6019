"""What an attempt left on the disk, as far as it can be trusted to be whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord
from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.recording import record
from seedlock.evaluation.runs import OUTPUT

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.ledger.leases import Lease

RUNS = "runs"
"""Folder of the records and artifacts in a round's folder. Its records hold the seeds, so it is
nobody else's until the reveal."""


@dataclass(frozen=True)
class Result:
    """An attempt that came to its end, by its record.

    Attributes:
        outcome: class of the record's outcome.
        reasons: the outcome's; none of a private submission, whose record alone has them.
        path: of the record, below the round's folder.
        sha256: of the record, 64 hexadecimal digits.
        usage: what the run took.
    """

    outcome: str
    reasons: list[str]
    path: str
    sha256: str
    usage: dict[str, Any]


def place(folder: Path, lease: Lease) -> Path:
    """Return the path of an attempt's artifacts; its record's has `.json` behind it."""
    return folder / RUNS / lease.name / f"{lease.seed_index}-{lease.attempt}"


def record_of(folder: Path, lease: Lease) -> Path:
    """Return the path of an attempt's record."""
    return place(folder, lease).with_suffix(".json")


def result(folder: Path, lease: Lease) -> Result | None:
    """Return what an attempt came to; None where there is no record of its end.

    Args:
        folder: the round's, absolute.
        lease: of the attempt.
    """
    path = record_of(folder, lease)
    try:
        raw = path.read_bytes()
        content = record.parse(path.name, raw)
    except (BadRecord, OSError):
        return None
    of = content.get("round")
    mine = of is not None and content["submission"] is not None and (
        content["submission"]["digest"], of["seed_index"], of["attempt"]
    ) == (lease.submission, lease.seed_index, lease.attempt)  # fmt: skip
    if content["status"] != record.COMPLETE or not mine:
        return None
    outcome = content["outcome"]
    sha256 = hashlib.sha256(raw).hexdigest()
    where = path.relative_to(folder).as_posix()
    # The ledger is published, and a private submission's reasons name its files.
    public = content["submission"]["visibility"] == "public"
    reasons = [str(each) for each in outcome["reasons"]] if public else []
    return Result(outcome["class"], reasons, where, sha256, content["usage"])


def is_whole(folder: Path, lease: Lease) -> bool:
    """Tell whether the results that an attempt's record names are on the disk, after a loss of
    power that may have come between the two."""
    content = record.load(record_of(folder, lease))
    outputs = place(folder, lease) / WORKPLACE / OUTPUT
    for each in content["outputs"]:
        path = outputs / each["path"]
        if not path.is_file() or digest_of(path).digest != each["sha256"]:
            return False
    return True
