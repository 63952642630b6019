"""Which file may be added to a round's published folder: rules over folders alone.

A round's files are published in their order, each once, and belong to one another by digests
(rounds/ceremony.py). Only the ledger grows, at its end. What would make the round's verification
say WRONG is refused before it is there. Nothing here needs the round's secret.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, BadRound, printable
from seedlock.evaluation.recording import record
from seedlock.evaluation.rounds import (
    checked_part,
    claims,
    ledger_lines,
    policy_file,
    verification,
)
from seedlock.evaluation.rounds.canonical import sha256
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW, OPENING, REVEAL, STEPS
from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
from seedlock.evaluation.rounds.policy import NAMES
from seedlock.evaluation.spot_checks import round_terms
from seedlock.leaderboard.file_cache import FileCache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

NEW, GROWN, SAME = "new", "grown", "same"
"""What a file that was accepted is beside what was there."""

SPOT_CHECK = checked_part.NAME
RECORD = re.compile(r"(0|[1-9][0-9]{0,8})-[1-9][0-9]{0,8}\.json")
"""`SEED_INDEX-ATTEMPT.json`."""

RUNS = "runs"

RECORDS = re.compile(f"{RUNS}/{NAMES.pattern}/{RECORD.pattern}")
"""Paths of records that are taken; a ledger could name any."""

STEP_FILES = {f"{step}.json": step for step in STEPS}

REVEALING = f"{REVEAL}.json"

CHUNK = 1 << 20


class AlreadyThere(BadRound):
    """A file that is published once is there, with other bytes."""


def published(folder: Path) -> Iterator[Path]:
    """Yield the published files of a round, but its records."""
    for name in (policy_file.NAME, *STEP_FILES, LEDGER):
        if (folder / name).is_file():
            yield folder / name
    checks = [path for path in folder.glob("spot-check*.json") if SPOT_CHECK.fullmatch(path.name)]
    # spot-check.json, then -2 to -9, then -10.
    yield from sorted(checks, key=lambda path: (path.name.count("-"), len(path.name), path.name))


def known_name(name: str) -> bool:
    """Return whether a file of a round may have a name."""
    return name in (policy_file.NAME, LEDGER, *STEP_FILES) or bool(SPOT_CHECK.fullmatch(name))


def check(folder: Path, of: str, name: str, file: Path, stage: Path, at: datetime) -> str:
    """Look whether a file may be published; return `NEW`, `GROWN` or `SAME`.

    Args:
        folder: the round's; not there before its opening.
        of: the round's name.
        name: of the file there.
        file: what is to be published, on the same disk.
        stage: path of a folder that this makes, on the same disk.
        at: now.

    Raises:
        AlreadyThere: it is there, and is another one.
        BadRound, BadPolicy: it may not be published; says why.
        OSError: a file can't be read.
    """
    if not known_name(name):
        raise BadRound(
            f"'{printable(name, 100)}' is no published file of a round; allowed: "
            f"{policy_file.NAME}, {', '.join(STEP_FILES)}, {LEDGER} and spot-check.json"
        )
    there = folder / name
    if there.exists():
        how = _against(there, file, name == LEDGER)
        if how == SAME:
            return SAME
    else:
        how = NEW
    stage.mkdir(mode=0o700)
    for path in published(folder) if folder.exists() else ():
        if path.name != name:
            os.link(path, stage / path.name)
    os.link(file, stage / name)
    _in_order(stage, name)
    _fits(stage, of, name, at)
    return how


def _against(there: Path, file: Path, grows: bool) -> str:
    """Compare a file with the one that is there."""
    with there.open("rb") as old, file.open("rb") as new:
        while data := old.read(CHUNK):
            if new.read(len(data)) != data:
                break
        else:
            if not new.read(1):
                return SAME
            if grows:
                return GROWN
    raise _taken(there, grows)


def _taken(there: Path, grows: bool) -> AlreadyThere:
    allowed = "one that goes on after the last event of it" if grows else "each file once"
    return AlreadyThere(
        f"{there.name} is published already, and is another one; allowed: {allowed}; nothing of a "
        "round is ever overwritten"
    )


def _in_order(stage: Path, name: str) -> None:
    """Refuse a file that comes before what it belongs to."""
    if name == policy_file.NAME:
        needed: tuple[str, ...] = (f"{OPENING}.json",)
    elif name in STEP_FILES:
        needed = tuple(f"{each}.json" for each in STEPS[: STEPS.index(STEP_FILES[name])])
    elif name == LEDGER:
        needed = (f"{OPENING}.json", "freeze.json")
    else:
        needed = (f"{OPENING}.json", "freeze.json", f"{DRAW}.json")
    for each in needed:
        if not (stage / each).exists():
            raise BadRound(
                f"{name} belongs to {each}, which is not published; allowed: a round's files in "
                f"their order; publish {each} first"
            )


def _fits(stage: Path, of: str, name: str, at: datetime) -> None:
    this = Round(stage)
    if this.policy.name != of:
        raise BadRound(
            f"{name} is of the round '{printable(this.policy.name, 100)}', not of "
            f"'{printable(of, 100)}'; allowed: the round's own name in the address"
        )
    if name in STEP_FILES:
        getattr(this, STEP_FILES[name])()  # of its format, and of the step before
    if name == policy_file.NAME:
        policy_file.read(stage / name)
    if SPOT_CHECK.fullmatch(name):
        _spot_check(this, stage / name)
        return
    if name == f"{DRAW}.json" and (this.draw()["seeds"] is not None) != this.policy.published:
        raise BadRound(
            "draw.json publishes the seeds, or hides them, against the policy; allowed: what was "
            "fixed before the deadline; it was not taken, and nobody was shown it"
        )
    if this.has(DRAW) and (this.has(REVEAL) or this.policy.published):
        this.seeds()
    for each in verification.verify(stage, at, verification.Seen()):
        if each.state == claims.WRONG:
            raise BadRound(
                f"{name} does not fit the round: {each.about}: "
                f"{printable(each.said.partition('; allowed:')[0], 400)}; allowed: the files as "
                "seedlock round and seedlock ledger export wrote them"
            )


def _spot_check(this: Round, path: Path) -> None:
    content = checked_part.read(path)
    if (content.get("draw"), content.get("policy")) != (this.digest(DRAW), this.policy.digest):
        raise BadRound(
            f"{path.name} is of another round: its draw and policy are not this one's; allowed: "
            "what seedlock spot-check wrote for this round"
        )
    checked_part.taken([content])  # has what a result has
    number = len(checked_part.all_of(this))
    if number == 0 or checked_part.place(this, number) != path:
        raise BadRound(
            f"{path.name} comes before spot-check.json and those after it; allowed: in their "
            "order; publish the first one first"
        )
    if this.has(REVEAL):
        secret = round_terms.secret_of(this, None).exposed()
        wrong = checked_part.problems(content, this, secret)
        if wrong:
            raise BadRound(
                f"{path.name} does not fit the round: {printable(wrong[0], 200)}; allowed: the "
                "file as seedlock spot-check wrote it"
            )


def check_record(folder: Path, submission: str, name: str, raw: bytes) -> str:
    """Look whether a record of the organiser's may be published; return `NEW` or `SAME`.

    Args:
        folder: the round's.
        submission: name of the submission that it is of.
        name: `SEED_INDEX-ATTEMPT.json`.
        raw: the record.

    Raises:
        AlreadyThere: another one is there.
        BadRound: the ledger does not name it, or names another.
        OSError: a file can't be read.
    """
    path = f"{RUNS}/{submission}/{name}"
    shown = printable(path, 160)
    expected = named_records(folder).get(path) if RECORD.fullmatch(name) else None
    if expected is None:
        raise BadRound(
            f"no event of the published ledger names the record {shown}; allowed: records that it "
            "names; publish the ledger first"
        )
    if sha256(raw)[7:] != expected:
        raise BadRound(
            f"{shown} is another file than the ledger says: its SHA-256 is {sha256(raw)[7:]}, not "
            f"{expected}; allowed: the record as the run left it"
        )
    if (folder / path).exists():
        if (folder / path).read_bytes() != raw:
            raise _taken(folder / path, False)
        return SAME
    try:
        refuse_half_characters(record.parse(shown, raw))
    except BadRecord as problem:
        raise BadRound(str(problem.args[0])) from problem
    return NEW


def refuse_half_characters(content: Any) -> None:
    """Refuse JSON with half a character (`\\ud800`), which no page and no answer can hold.

    Raises:
        BadRecord: there is one.
    """
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        raise BadRecord(
            "the record holds half a character; allowed: text that UTF-8 can hold; it is not as "
            "seedlock run --record wrote it"
        ) from problem


def bytes_of(file: Path) -> bytes:
    """Return a record's bytes.

    Raises:
        BadRound: it has more bytes than a record may have.
        OSError: it can't be read.
    """
    if file.stat().st_size > record.LARGEST:
        raise BadRound(f"it is larger than {record.LARGEST >> 20} MiB; allowed: a record")
    return file.read_bytes()


def named_records(folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hexadecimal) of each record that a round's ledger names, by its path.

    Raises:
        BadRound: the ledger can't be read, or is none.
    """
    path = folder / LEDGER
    return _records.get(path) if path.exists() else {}


def _named(path: Path) -> dict[str, str]:
    try:
        course = ledger_lines.read(path)
    except ledger_lines.Broken as problem:
        raise BadRound(
            f"{path.name}: {problem}; allowed: what seedlock ledger export wrote"
        ) from problem
    return {
        str(each["content"]["record"]): str(each["content"]["record_sha256"])
        for each in course.ended if each["content"]["record"] is not None
    }  # fmt: skip


_records = FileCache(_named)
"""Ten thousand records come one after the other, and each asks the same ledger."""
