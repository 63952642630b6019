"""How a round stands, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from seedlock.evaluation.ledger.chain import head_text, time_text
from seedlock.evaluation.ledger.states import SHOWN
from seedlock.evaluation.ledger.tables import Round, Submission

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = {state: state.replace("-", "_") for state in SHOWN}
"""The column that counts each state."""

_TABLE = Submission.__table__.columns


@dataclass(frozen=True)
class Standing:
    """How one submission stands.

    Attributes:
        name: its name.
        digest: `sha256:HEX`.
        visibility: `public` or `private`.
        seeds: how many runs it shall have.
        counts: seeds per state; their sum is `seeds`.
        retries: attempts beyond the first of each seed.
        timed: runs that ended and say how long one takes.
        timed_ms: how long they took together.
    """

    name: str
    digest: str
    visibility: str
    seeds: int
    counts: dict[str, int]
    retries: int
    timed: int
    timed_ms: int

    @property
    def open(self) -> int:
        """Seeds that have not come to their end."""
        return self.counts["queued"] + self.counts["leased"] + self.counts["running"]


@dataclass(frozen=True)
class Status:
    """How a round stands.

    Attributes:
        round: its name; None if the ledger is empty.
        policy: digest of its policy.
        head: `SEQUENCE:HASH` of the last event.
        now: milliseconds since 1970.
        submissions: in the order in which they were added.
    """

    round: str | None
    policy: str | None
    head: str
    now: int
    submissions: list[Standing]

    @property
    def seeds(self) -> int:
        """Runs that shall be."""
        return sum(each.seeds for each in self.submissions)

    @property
    def counts(self) -> dict[str, int]:
        """Seeds per state, of all submissions."""
        return {
            state: sum(each.counts[state] for each in self.submissions) for state in SHOWN
        }  # fmt: skip

    @property
    def retries(self) -> int:
        """Attempts beyond the first of each seed."""
        return sum(each.retries for each in self.submissions)

    @property
    def complete(self) -> bool:
        """Whether each seed of each submission has come to its end."""
        return bool(self.submissions) and not any(each.open for each in self.submissions)

    @property
    def mean_seconds(self) -> float | None:
        """Mean duration of a run that ended; None before the first."""
        timed = sum(each.timed for each in self.submissions)
        return sum(each.timed_ms for each in self.submissions) / timed / 1000 if timed else None

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time to the end, if as many run at once as now; None where nothing runs
        or nothing has ended yet.

        A run is taken to last as long as the mean of its submission's, or of all where that has
        none; one that runs is taken to be half done.
        """
        counts, mean = self.counts, self.mean_seconds
        at_once = counts["leased"] + counts["running"]
        if mean is None or not at_once:
            return None
        work = sum(
            (each.open - each.counts["running"] / 2)
            * (each.timed_ms / each.timed / 1000 if each.timed else mean)
            for each in self.submissions
        )
        return work / at_once

    def to_json(self) -> dict[str, Any]:
        """Return it as `seedlock status --json` prints it."""
        left = self.seconds_left
        return {
            "round": self.round,
            "policy": self.policy,
            "head": self.head,
            "time": time_text(self.now),
            "complete": self.complete,
            "seeds": self.seeds,
            "counts": self.counts,
            "retries": self.retries,
            "mean_seconds": self.mean_seconds,
            "seconds_left": left,
            "estimated_end": None if left is None else time_text(self.now + round(left * 1000)),
            "submissions": [
                {"name": each.name, "digest": each.digest, "visibility": each.visibility,
                 "seeds": each.seeds, "counts": each.counts, "retries": each.retries}
                for each in self.submissions
            ],
        }  # fmt: skip


def look(connection: Connection, now: int) -> Status:
    """Read how a round stands: one row per submission.

    Args:
        connection: a transaction.
        now: the ledger's time, milliseconds since 1970.
    """
    head = connection.execute(
        select(Round.name, Round.policy, Round.sequence, Round.hash)
    ).one()  # fmt: skip
    fixed = ("name", "digest", "visibility", "seeds", "retries", "timed", "timed_ms")
    chosen = select(*(_TABLE[name] for name in (*fixed, *COLUMNS.values())))
    rows = connection.execute(chosen.order_by(_TABLE["id"])).all()
    standings = [
        Standing(
            name, digest, visibility, seeds, dict(zip(SHOWN, counts, strict=True)), retries, timed,
            timed_ms,
        )
        for name, digest, visibility, seeds, retries, timed, timed_ms, *counts in rows
    ]  # fmt: skip
    return Status(
        head.name, head.policy, head_text(head.sequence, head.hash), now, standings
    )  # fmt: skip
