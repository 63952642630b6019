"""The statements of leases: which run is next, who holds it, what becomes of it.

Each works in a transaction of its caller's and writes the event and the state together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, insert, literal_column, select, update

from seedlock.errors import LostLease
from seedlock.evaluation.ledger.chain import time_text, whole
from seedlock.evaluation.ledger.states import (
    BEGUN,
    ENDED,
    HELD,
    LEASED,
    QUEUED,
    RUNNING,
    STATE_OF,
    TIMED,
    after,
)  # fmt: skip
from seedlock.evaluation.ledger.tables import HAS_END, IS_QUEUED, WAITING, Run, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from seedlock.evaluation.ledger.page import Page


@dataclass(frozen=True)
class Lease:
    """The right to carry one attempt out, until it is lost.

    Attributes:
        run_id: the attempt's own number in this database.
        submission: digest, `sha256:HEX`.
        name: the submission's name.
        seed_index: 0 to seeds - 1.
        attempt: 1 and up.
        token: sequence number of the event that gave it; a later lease has a larger one.
    """

    run_id: int
    submission: str
    name: str
    seed_index: int
    attempt: int
    token: int


@dataclass(frozen=True)
class Held:
    """A lease, who holds it, and where its run was started.

    Attributes:
        lease: the lease.
        worker: who holds it.
        where: the engine's name of what runs; None if it was not started.
        end: when it ends, milliseconds since 1970.
    """

    lease: Lease
    worker: str
    where: str | None
    end: int


@dataclass(frozen=True)
class End:
    """How an attempt ended.

    Attributes:
        outcome: class of the record's outcome.
        reasons: lines for people.
        record: path of the record below the round's folder.
        record_sha256: 64 hexadecimal digits.
        usage: what it took.
    """

    outcome: str
    reasons: Sequence[str] = ()
    record: str | None = None
    record_sha256: str | None = None
    usage: dict[str, Any] | None = None


_SUBMISSION = (
    select(Submission.id, Submission.digest, Submission.name)
    .where(WAITING).order_by(Submission.started, Submission.id).limit(1)
)  # fmt: skip
_QUEUED = (
    select(Run.id, Run.seed_index, Run.attempt)
    .where(Run.submission_id == bindparam("of"), IS_QUEUED).order_by(Run.seed_index).limit(1)
)  # fmt: skip
_TAKE = (
    update(Run).where(Run.id == bindparam("run"))
    .values(state=LEASED, token=bindparam("t"), worker=bindparam("w"), lease_end=bindparam("e"))
)  # fmt: skip
_FULL: Any = select(Run, Submission.digest, Submission.name).join(
    Submission, Run.submission_id == Submission.id
)
_MINE = _FULL.where(Run.id == bindparam("run"), Run.token == bindparam("t"))
_OVER = _FULL.where(HAS_END, Run.lease_end < bindparam("now")).order_by(Run.lease_end).limit(1000)
_HELD = _FULL.where(HAS_END).order_by(Run.token)
_BEAT = (
    update(Run)
    .where(Run.id == bindparam("run"), Run.token == bindparam("t"), Run.state.in_(HELD))
    .values(lease_end=bindparam("e"))
)


def take(page: Page, worker: str, end: int) -> Lease | None:
    """Give the next attempt to a worker: of the submission that had the fewest, its first seed."""
    submission = page.connection.execute(_SUBMISSION).first()
    if submission is None:
        return None
    run = page.connection.execute(_QUEUED, {"of": submission.id}).one()
    token = page.add(
        LEASED, {"until": time_text(end)}, submission.digest, run.seed_index, run.attempt, worker
    )
    page.connection.execute(_TAKE, {"run": run.id, "t": token, "w": worker, "e": end})
    count(page.connection, submission.id, queued=-1, leased=1, started=1)
    return Lease(
        run.id, submission.digest, submission.name, run.seed_index, run.attempt, token
    )  # fmt: skip


def count(connection: Connection, submission: int, **changes: int) -> None:
    """Add to a submission's counters."""
    values: Any = {name: literal_column(f'"{name}"') + change for name, change in changes.items()}
    connection.execute(update(Submission).where(Submission.id == submission).values(**values))


def given(connection: Connection, lease: Lease) -> Row[Any] | None:
    """Return the run to which a lease was the last; None where another followed or it was given
    back."""
    return connection.execute(_MINE, {"run": lease.run_id, "t": lease.token}).first()


def lost(lease: Lease) -> LostLease:
    """Return the error that tells a worker so."""
    return LostLease(
        f"{lease.name}, seed index {lease.seed_index}, attempt {lease.attempt} is no longer held "
        f"under token {lease.token}: its lease was over, or it was ended; allowed: reports of who "
        "holds it; stop the run, it does not count"
    )


def over(connection: Connection, now: int) -> Sequence[Row[Any]]:
    """Return runs whose lease has ended, at most 1000."""
    return connection.execute(_OVER, {"now": now}).all()


def held(connection: Connection) -> list[Held]:
    """Return all leases, in the order in which they were given."""
    return [
        Held(of(row), row.worker, row.where, row.lease_end)
        for row in connection.execute(_HELD)
    ]  # fmt: skip


def of(row: Row[Any]) -> Lease:
    return Lease(row.id, row.digest, row.name, row.seed_index, row.attempt, row.token)


def prolong(connection: Connection, lease: Lease, end: int) -> bool:
    """Move the end of a lease; return whether it is still one."""
    values = {"run": lease.run_id, "t": lease.token, "e": end}
    return bool(connection.execute(_BEAT, values).rowcount)


def begin(page: Page, row: Row[Any], where: str) -> None:
    """Note that a leased run was started."""
    content = {"token": row.token, "where": where}
    page.add(BEGUN, content, row.digest, row.seed_index, row.attempt, row.worker)
    page.connection.execute(
        update(Run).where(Run.id == row.id).values(state=RUNNING, where=where, began=page.now)
    )
    count(page.connection, row.submission_id, leased=-1, running=1)


def end(page: Page, row: Row[Any], how: End, worker: str | None) -> str:
    """End an attempt, queue the next one where there is one; return the attempt's state."""
    begun = row.state == RUNNING
    state, failures, following = after(how.outcome, begun, row.attempt, row.failures, page.retries)
    page.add(
        ENDED,
        {
            "token": row.token,
            "class": how.outcome,
            "state": STATE_OF[how.outcome] if state != QUEUED else QUEUED,
            "reasons": [whole(str(each)) for each in how.reasons],
            "record": how.record,
            "record_sha256": how.record_sha256,
            "usage": whole(how.usage),
            "next": following,
        },
        row.digest, row.seed_index, row.attempt, worker,
    )  # fmt: skip
    values: dict[str, Any] = {"state": state, "failures": failures, "lease_end": None}
    changes = {row.state: -1}
    if state == QUEUED:
        values |= {"token": None, "worker": None}
        changes |= {"queued": 1, "started": -1}
    else:
        values |= {
            "outcome": how.outcome, "record": how.record, "record_sha256": how.record_sha256
        }  # fmt: skip
        if following is not None:
            page.connection.execute(insert(Run).values(
                submission_id=row.submission_id, seed_index=row.seed_index, attempt=following,
                failures=failures, state=QUEUED,
            ))  # fmt: skip
            changes |= {"queued": 1, "retries": 1}
        else:
            changes[state.replace("-", "_")] = 1
        if state in TIMED and row.began is not None:
            changes |= {"timed": 1, "timed_ms": max(0, page.now - row.began)}
    page.connection.execute(update(Run).where(Run.id == row.id).values(**values))
    count(page.connection, row.submission_id, **changes)
    return state
