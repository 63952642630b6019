"""The exported ledger of a round, read by its published format alone (docs/ledger.md).

Written from that page and not from the ledger's code: what one program writes, another reads.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds.canonical import canonical, strict
from seedlock.evaluation.rounds.policy import MOST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "ledger.jsonl"

FORMAT, VERSION = "seedlock-ledger", 1

START = "0" * 64
"""Stands for the hash before the first event."""

KEYS = {
    "sequence", "time", "round", "submission", "seed_index", "attempt", "kind", "worker",
    "content", "previous", "hash",
}  # fmt: skip

LONGEST = 1 << 24
"""Bytes of a line."""

FINAL = {
    "done": "done", "author-failure": "author-failure", "metrics": "author-failure",
    "not-locked": "author-failure", "changed": "author-failure", "limit": "limit",
}  # fmt: skip
"""State by class of an end that is never repeated."""

INFRASTRUCTURE, INTERRUPTED = "infrastructure", "interrupted"


class Broken(Exception):
    """A line is not what was written, or can't follow the lines before."""


@dataclass
class Course:
    """What the events tell.

    Attributes:
        entered: content of the first event, with `round`.
        added: content of each submission's event by its digest.
        ended: events by which attempts ended, in order.
        heads: hash by sequence number.
        standing: by submission and seed index: the attempt that counts, its state (`queued`,
            `leased`, `running` or `final`), and how often the machine failed.
        tokens: sequence number of the last lease by submission and seed index.
        names: of the added submissions.
    """

    entered: dict[str, Any] = field(default_factory=dict)
    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=lambda: [START])
    standing: dict[tuple[str, int], tuple[int, str, int]] = field(default_factory=dict)
    tokens: dict[tuple[str, int], int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    @property
    def head(self) -> dict[str, Any]:
        """Number of events and the last one's hash, as a reveal has it."""
        return {"events": len(self.heads) - 1, "head": self.heads[-1]}


def read(path: Path) -> Course:
    """Return what an exported ledger tells.

    Raises:
        Broken: it is not what was written; the text names the line.
        BadRound: it can't be read.
    """
    course = Course()
    for number, line in enumerate(_lines(path), 1):
        try:
            event = _event(line, number, course.heads[-1])
            _take(course, event)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise Broken(f"event {number} has another form than docs/ledger.md says") from problem
        except Broken as problem:
            raise Broken(f"event {number} {problem}") from problem
        course.heads.append(event["hash"])
    if not course.entered:
        raise Broken("event 1, with which a ledger begins, is missing")
    return course


def head_of(path: Path) -> dict[str, Any]:
    """Return an exported ledger's head, as a reveal has it.

    Raises:
        BadRound: it can't be read, or is not what was written.
    """
    try:
        return read(path).head
    except Broken as problem:
        raise BadRound(
            f"{printable(str(path), 200)}: {problem}; allowed: what seedlock ledger export wrote; "
            "export it again"
        ) from problem


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST):
                yield line
    except OSError as problem:
        raise BadRound(
            f"{printable(str(path), 200)} can't be read: {problem.strerror}; allowed: what "
            "seedlock ledger export wrote"
        ) from problem


def _event(line: bytes, number: int, previous: str) -> dict[str, Any]:
    event = strict(line)
    if not isinstance(event, dict) or canonical(event) + b"\n" != line:
        raise Broken("is not the canonical JSON of an event")
    if set(event) != KEYS or not isinstance(event["content"], dict):
        raise Broken("has other keys than an event")
    if event["sequence"] != number:
        raise Broken(f"has sequence {event['sequence']}: one was taken out or put in before it")
    if event["previous"] != previous:
        raise Broken("does not continue the chain: one before it was changed, taken out or put in")
    hashed = {key: value for key, value in event.items() if key != "hash"}
    if event["hash"] != hashlib.sha256(canonical(hashed)).hexdigest():
        raise Broken("was changed: its hash is another")
    return event


def _take(course: Course, event: dict[str, Any]) -> None:
    kind, content = event["kind"], event["content"]
    if (kind == "entered") != (not course.entered):
        raise Broken(f"is '{kind}', which can't stand there")
    if kind == "entered":
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise Broken(f"is not of {FORMAT} version {VERSION}")
        course.entered = {**content, "round": event["round"]}
        return
    if event["round"] != course.entered["round"]:
        raise Broken("is of another round")
    if kind == "added":
        _add(course, event["submission"], content)
        return
    key = (event["submission"], event["seed_index"])
    if type(key[1]) is not int or type(event["attempt"]) is not int:
        raise Broken("has a seed index or an attempt that is no whole number")
    if key not in course.standing:
        raise Broken("is about a submission or a seed index that was never added")
    attempt, state, failures = course.standing[key]
    if event["attempt"] != attempt:
        raise Broken(
            f"is about attempt {event['attempt']} of seed index {key[1]}, where attempt {attempt} "
            f"is {state}: an attempt is hidden or made up"
        )
    if kind == "leased" and state == "queued":
        course.standing[key] = (attempt, "leased", failures)
        course.tokens[key] = event["sequence"]
    elif kind == "running" and state == "leased" and content["token"] == course.tokens[key]:
        course.standing[key] = (attempt, "running", failures)
    elif kind == "ended" and state in ("leased", "running"):
        if content["token"] != course.tokens[key]:
            raise Broken("ends an attempt by another lease than it is held by")
        named = {"record", "record_sha256"} <= set(content)
        if not (named and isinstance(content["reasons"], list)):
            raise Broken("ends an attempt without saying why, or by which record")
        course.standing[key] = _end(course, content, attempt, state, failures)
        course.ended.append(event)
    else:
        raise Broken(f"is '{kind}' where attempt {attempt} of seed index {key[1]} is {state}")


def _add(course: Course, digest: object, content: dict[str, Any]) -> None:
    if not isinstance(digest, str) or digest in course.added:
        raise Broken("adds a submission that is there")
    if content["name"] in course.names:
        raise Broken("adds a submission with a name that is there")
    if type(content["seeds"]) is not int or not 0 < content["seeds"] <= MOST_SEEDS:
        raise Broken("adds a submission with a number of seeds that no policy allows")
    course.added[digest] = content
    course.names.add(content["name"])
    for index in range(content["seeds"]):
        course.standing[digest, index] = (1, "queued", 0)


def _end(
    course: Course, content: dict[str, Any], attempt: int, state: str, failures: int
) -> tuple[int, str, int]:
    found = content["class"]
    following: tuple[str, int | None]
    if found in FINAL:
        following = (FINAL[found], None)
    elif found == INFRASTRUCTURE:
        failures += 1
        again = failures <= course.entered["retries"]
        following = (INFRASTRUCTURE, attempt + 1 if again else None)
    elif found == INTERRUPTED:
        begun = state == "running"
        following = (INTERRUPTED, attempt + 1) if begun else ("queued", attempt)
    else:
        raise Broken(f"has class '{printable(str(found))}', which there is not")
    if (content["state"], content["next"]) != following:
        raise Broken(
            f"says that class {found} leads to {printable(json.dumps(content['state']))} and next "
            f"attempt {content['next']}; by the rules to {following[0]} and {following[1]}"
        )
    if following[1] is None:
        return attempt, "final", failures
    return following[1], "queued", failures
