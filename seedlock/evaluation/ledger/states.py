"""The words of the ledger: states, kinds of events, and where a class of an outcome leads to.

docs/ledger.md has the tables. The names of classes are those of docs/records.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "seedlock-ledger"
VERSION = 1

QUEUED = "queued"
LEASED = "leased"
RUNNING = "running"
DONE = "done"
AUTHOR_FAILURE = "author-failure"
LIMIT = "limit"
INFRASTRUCTURE = "infrastructure"
INTERRUPTED = "interrupted"

HELD = (LEASED, RUNNING)
"""States in which a worker holds the attempt."""

SHOWN = (QUEUED, LEASED, RUNNING, DONE, AUTHOR_FAILURE, LIMIT, INFRASTRUCTURE)
"""States that the last attempt of a seed can be in: after an interrupted one stands another."""

TIMED = (DONE, AUTHOR_FAILURE, LIMIT)
"""Ends that say how long a run takes."""

ENTERED = "entered"
ADDED = "added"
BEGUN = "running"
ENDED = "ended"
"""Kinds of events; the one of a lease is called as its state."""

EXPIRED = "lease expired"
"""The reason of an attempt whose worker gave no sign."""

STATE_OF = {
    "done": DONE,
    "author-failure": AUTHOR_FAILURE,
    "metrics": AUTHOR_FAILURE,
    "not-locked": AUTHOR_FAILURE,
    "changed": AUTHOR_FAILURE,
    "limit": LIMIT,
    "infrastructure": INFRASTRUCTURE,
    "interrupted": INTERRUPTED,
}
"""State of an attempt by the class of its record's outcome."""


OF_ORGANISERS = re.compile(
    "lease expired|interrupted|the disk was full|it could not be started: .*"
    "|it ended without a record|its pod left no complete record|it has no result yet"
    "|its supervisor was ended by SIG[A-Z0-9]+|the process that starts the runs is gone"
    "|its results were not all on the disk after the machine went down"
    "|seedlock evaluate was killed, or the machine went down"
    "|started again on .*; its first start, on .*, did not end|Slurm .*"
    "|rejected by the organiser|not within the round's policy",
    re.DOTALL,
)
"""Reasons of an end in words of the organiser's own or a scheduler's, which name nothing that an
author wrote: they may be told of a private submission."""


def tells_of_author(reasons: Iterable[object] | None) -> bool:
    """Return whether a reason of an end is, or may be, in words about an author's files."""
    return not all(OF_ORGANISERS.fullmatch(str(each)) for each in reasons or ())


def after(
    outcome: str, begun: bool, attempt: int, failures: int, retries: int
) -> tuple[str, int, int | None]:
    """Return what becomes of an attempt that ended: its state, how many attempts of its seed the
    machine has failed by now, and the attempt that is queued next, if any.

    Args:
        outcome: class of the outcome, a key of STATE_OF.
        begun: whether it had been started.
        attempt: its number, from 1.
        failures: how many attempts of this seed the machine failed before.
        retries: how often the policy lets one seed be tried again for that.

    Raises:
        KeyError: there is no such class.
    """
    state = STATE_OF[outcome]
    if state == INTERRUPTED:
        return (INTERRUPTED, failures, attempt + 1) if begun else (QUEUED, failures, attempt)
    if state == INFRASTRUCTURE:
        failures += 1
        return state, failures, attempt + 1 if failures <= retries else None
    return state, failures, None
