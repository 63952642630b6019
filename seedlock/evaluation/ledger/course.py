"""What follows from events: the state of each attempt, worked out anew from the events alone.

`leases.py` writes events and state side by side with the database's means. This is the second,
independent way to the same state, by which `verification.py` finds a state that was changed by
hand, and events that could not have happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seedlock.evaluation.ledger.chain import KEYS, milliseconds
from seedlock.evaluation.ledger.states import (
    ADDED,
    BEGUN,
    ENDED,
    ENTERED,
    FORMAT,
    HELD,
    LEASED,
    QUEUED,
    RUNNING,
    SHOWN,
    TIMED,
    VERSION,
    after,
)  # fmt: skip
from seedlock.evaluation.rounds.policy import MOST_SEEDS


class Impossible(Exception):
    """An event could not have happened after those before it."""


@dataclass
class Attempt:
    """One attempt, by the columns of the table `runs`."""

    failures: int
    state: str = QUEUED
    token: int | None = None
    worker: str | None = None
    began: int | None = None
    where: str | None = None
    outcome: str | None = None
    record: str | None = None
    record_sha256: str | None = None


@dataclass
class Entry:
    """One submission, by the columns of the table `submissions`."""

    name: str
    visibility: str
    seeds: int
    started: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SHOWN, 0))
    retries: int = 0
    timed: int = 0
    timed_ms: int = 0


class Course:
    """The round so far.

    Attributes:
        round: what `entered` said: name, policy, freeze, retries; None before it.
        submissions: by digest.
        attempts: by digest, seed index and number.
    """

    def __init__(self) -> None:
        self.round: tuple[str, str, str | None, int] | None = None
        self.submissions: dict[str, Entry] = {}
        self.attempts: dict[tuple[str, int, int], Attempt] = {}
        self._names: set[str] = set()

    def take(self, event: dict[str, Any]) -> None:
        """Go on by one event.

        Raises:
            Impossible: it can't follow, or lacks something; the text says what.
        """
        _demand(set(event) == KEYS, "it has not the keys of an event")
        content = event["content"]
        _demand(event["kind"] in KINDS, f"it is of kind '{event['kind']}', which there is not")
        _demand(isinstance(content, dict), "its content is no canonical JSON object")
        try:
            now = milliseconds(event["time"])
            getattr(self, f"_{event['kind']}")(event, content, now)
        except (KeyError, TypeError, ValueError):
            raise Impossible(f"its content is not that of kind '{event['kind']}'") from None

    def _entered(self, event: dict[str, Any], content: dict[str, Any], _now: int) -> None:
        _demand(self.round is None, "the round was entered before")
        _demand(
            (content["format"], content["version"]) == (FORMAT, VERSION),
            f"it is not of {FORMAT} version {VERSION}",
        )
        self.round = (event["round"], content["policy"], content["freeze"], content["retries"])

    def _added(self, event: dict[str, Any], content: dict[str, Any], _now: int) -> None:
        self._same_round(event)
        digest, name, seeds = event["submission"], content["name"], content["seeds"]
        _demand(digest not in self.submissions, "its submission was added before")
        _demand(name not in self._names, f"a submission '{name}' was added before")
        right = isinstance(digest, str) and type(seeds) is int and 0 < seeds <= MOST_SEEDS
        _demand(right, "it names no submission with seeds, as many as a policy may have")
        self._names.add(name)
        entry = self.submissions[digest] = Entry(name, content["visibility"], seeds)
        entry.counts[QUEUED] = seeds
        for index in range(seeds):
            self.attempts[digest, index, 1] = Attempt(0)

    def _leased(self, event: dict[str, Any], content: dict[str, Any], _now: int) -> None:
        entry, attempt = self._attempt(event)
        _demand(attempt.state == QUEUED, f"its attempt was {attempt.state}, not {QUEUED}")
        _demand(isinstance(event["worker"], str), "it names no worker")
        milliseconds(content["until"])
        self._move(entry, QUEUED, LEASED)
        entry.started += 1
        attempt.state, attempt.token, attempt.worker = LEASED, event["sequence"], event["worker"]

    def _running(self, event: dict[str, Any], content: dict[str, Any], now: int) -> None:
        entry, attempt = self._attempt(event)
        _demand(attempt.state == LEASED, f"its attempt was {attempt.state}, not {LEASED}")
        self._by_holder(event, attempt)
        self._move(entry, LEASED, RUNNING)
        attempt.state, attempt.where, attempt.began = RUNNING, content["where"], now

    def _ended(self, event: dict[str, Any], content: dict[str, Any], now: int) -> None:
        assert self.round is not None
        entry, attempt = self._attempt(event)
        _demand(attempt.state in HELD, f"its attempt was {attempt.state}, not held")
        if event["worker"] is not None:
            self._by_holder(event, attempt)
        _demand(content["token"] == attempt.token, "its token is not the lease's")
        begun, number = attempt.state == RUNNING, event["attempt"]
        state, failures, following = after(
            content["class"], begun, number, attempt.failures, self.round[3]
        )
        _demand(
            (content["state"], content["next"]) == (state, following),
            f"class {content['class']} leads to {state} and next attempt {following}, not to "
            f"{content['state']} and {content['next']}",
        )
        before, attempt.state, attempt.failures = attempt.state, state, failures
        if state == QUEUED:
            attempt.token = attempt.worker = None
            entry.started -= 1
            self._move(entry, before, QUEUED)
            return
        attempt.outcome = content["class"]
        attempt.record, attempt.record_sha256 = content["record"], content["record_sha256"]
        if state in TIMED and attempt.began is not None:
            entry.timed += 1
            entry.timed_ms += max(0, now - attempt.began)
        if following is None:
            self._move(entry, before, state)
        else:
            self._move(entry, before, QUEUED)
            entry.retries += 1
            key = (event["submission"], event["seed_index"], following)
            self.attempts[key] = Attempt(failures)

    def _same_round(self, event: dict[str, Any]) -> None:
        _demand(self.round is not None, "no round was entered before it")
        assert self.round is not None
        _demand(event["round"] == self.round[0], f"it is of round '{event['round']}'")

    def _attempt(self, event: dict[str, Any]) -> tuple[Entry, Attempt]:
        self._same_round(event)
        digest = event["submission"]
        _demand(digest in self.submissions, "its submission was not added")
        found = self.attempts.get((digest, event["seed_index"], event["attempt"]))
        _demand(found is not None, "no such attempt was queued before it")
        assert found is not None
        return self.submissions[digest], found

    def _by_holder(self, event: dict[str, Any], attempt: Attempt) -> None:
        _demand(event["content"]["token"] == attempt.token, "its token is not the lease's")
        _demand(event["worker"] == attempt.worker, "its worker does not hold the lease")

    def _move(self, entry: Entry, before: str, now: str) -> None:
        entry.counts[before] -= 1
        entry.counts[now] += 1


KINDS = (ENTERED, ADDED, LEASED, BEGUN, ENDED)
"""Every kind; `Course` has a method for each."""


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Impossible(otherwise)
