"""The records and replays that a checklist is filled in from."""

from __future__ import annotations

import errno
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, BadRound, printable
from seedlock.evaluation.checklists.facts import Facts, Recorded, Replayed
from seedlock.evaluation.recording import record
from seedlock.evaluation.scores.failures import INFRASTRUCTURE

if TYPE_CHECKING:
    from collections.abc import Sequence

VERDICTS = ("IDENTICAL", "DIFFERENT", "WITHIN TOLERANCE", "NOT COMPARABLE")
"""Of replays that came to an end."""


def gathered(
    given: Sequence[str], replays: Sequence[str] = (), submission: str | None = None
) -> Facts:
    """Return what some files say.

    Args:
        given: records; the folder of a round stands for the records of a submission's runs.
        replays: `replay.json` of seedlock replay, each of one of the records.
        submission: whose runs of the round; None where it has one.

    Raises:
        BadRecord: a file is no record, or no replay's result of one of them.
        BadRound: a round's folder is not whole, or has no such submission.
    """
    paths: list[Path] = []
    for each in given:
        of_folder = Path(each).is_dir()
        paths += _of_round(Path(each), submission) if of_folder else [Path(each)]
    records = [_recorded(path) for path in paths]
    known = {each.sha256: each for each in records}
    return Facts(records, [_replayed(Path(each), known) for each in replays])


def _recorded(path: Path) -> Recorded:
    shown = printable(str(path), 200)
    raw = _bytes(path, shown, "a record that seedlock run --record wrote")
    return Recorded(shown, f"sha256:{sha256(raw).hexdigest()}", record.parse(shown, raw))


def _replayed(path: Path, known: dict[str, Recorded]) -> Replayed:
    shown = printable(str(path), 200)
    raw = _bytes(path, shown, "replay.json of seedlock replay")
    try:
        content: Any = json.loads(raw)
        verdict, of, at = content["verdict"], content["record_sha256"], str(content["record"])
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadRecord(
            f"{shown} is no result of a replay, or of an older seedlock, which does not say of "
            "which record; allowed: replay.json of seedlock replay; replay the record again"
        ) from problem
    if verdict not in VERDICTS:
        raise BadRecord(
            f"{shown} says {printable(str(verdict))}; allowed: {', '.join(VERDICTS)}; replay it "
            "where it can be replayed"
        )
    # By its bytes: another run's record may lie at the path by now.
    if not isinstance(of, str) or of not in known:
        raise BadRecord(
            f"{shown} is of {printable(at, 200)} with {printable(str(of), 80)}; allowed: a replay "
            "of one of the records as they are; name that record, too, or replay it again"
        )
    digest = f"sha256:{sha256(raw).hexdigest()}"
    return Replayed(shown, digest, known[of].name, verdict)


def _bytes(path: Path, shown: str, allowed: str) -> bytes:
    try:
        if path.stat().st_size > record.LARGEST:
            raise BadRecord(
                f"{shown} is larger than {record.LARGEST >> 20} MiB; allowed: {allowed}"
            )
        return path.read_bytes()
    except (OSError, ValueError) as problem:
        number = getattr(problem, "errno", None) or errno.EIO
        raise BadRecord(
            f"{shown} can't be read: {os.strerror(number)}; allowed: {allowed}; mend the path"
        ) from problem


def _of_round(folder: Path, submission: str | None) -> list[Path]:
    from seedlock.evaluation.scores import standings

    found = standings.of_round(folder).as_dict()["submissions"]
    names = [each["name"] for each in found]
    if submission is None and len(names) == 1:
        submission = names[0]
    if submission is None or submission not in names:
        raise BadRound(
            f"{printable(str(submission))} is no submission of {printable(str(folder), 120)}; "
            f"allowed: {printable(', '.join(names) or 'a round with submissions', 300)}; say "
            "--submission NAME"
        )
    runs = found[names.index(submission)]["runs"]
    for each in runs:
        if each["problem"] is not None:
            raise BadRound(
                f"the record of seed index {each['seed_index']} of {printable(submission)} "
                f"{printable(each['problem'], 120)}; allowed: records that the ledger names; get "
                "it again"
            )
    # Where the machine failed, the record was cut off and says nothing of the program.
    paths = [
        folder / each["record"]
        for each in runs
        if each["record"] is not None and each["state"] != INFRASTRUCTURE
    ]
    if not paths:
        raise BadRound(
            f"{printable(str(submission))} has no public record in {printable(str(folder), 120)}; "
            "allowed: a public submission of which runs ended"
        )
    return paths
