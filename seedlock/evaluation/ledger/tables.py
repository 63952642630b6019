"""The tables of a ledger, for SQLite and PostgreSQL alike.

`events` is what happened. The other three follow from it (`verification.py` sees to it), and hold
what a question needs to be answered without reading 100,000 events.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from seedlock.evaluation.sql_database import LARGE, only_added_to


class Base(DeclarativeBase):
    """The tables together."""


class Event(Base):
    """One row per event; never changed, never removed. Columns are docs/ledger.md's keys;
    `content` is canonical JSON."""

    __tablename__ = "events"
    sequence: Mapped[int] = mapped_column(LARGE, primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(Text)
    round: Mapped[str] = mapped_column(Text)
    submission: Mapped[str | None] = mapped_column(Text)
    seed_index: Mapped[int | None]
    attempt: Mapped[int | None]
    kind: Mapped[str] = mapped_column(Text)
    worker: Mapped[str | None] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)


class Round(Base):
    """The one round of the ledger, and the chain's head. Who writes locks this row first."""

    __tablename__ = "round"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    name: Mapped[str | None] = mapped_column(Text)
    policy: Mapped[str | None] = mapped_column(Text)
    freeze: Mapped[str | None] = mapped_column(Text)
    retries: Mapped[int | None]
    sequence: Mapped[int] = mapped_column(LARGE)
    hash: Mapped[str] = mapped_column(Text)


class Submission(Base):
    """A submission, and how many of its seeds are in which state.

    `started` counts the leases of attempts that began or may have; `retries` the attempts beyond
    the first of each seed; `timed` and `timed_ms` the ends that say how long a run takes.
    """

    __tablename__ = "submissions"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    visibility: Mapped[str] = mapped_column(Text)
    seeds: Mapped[int]
    started: Mapped[int]
    queued: Mapped[int]
    leased: Mapped[int]
    running: Mapped[int]
    done: Mapped[int]
    author_failure: Mapped[int]
    limit: Mapped[int]
    infrastructure: Mapped[int]
    retries: Mapped[int]
    timed: Mapped[int]
    timed_ms: Mapped[int] = mapped_column(LARGE)


class Run(Base):
    """One attempt at one seed of one submission.

    `failures` counts the attempts of this seed that the machine failed, this one included;
    `token` is the sequence number of the lease, also after the end; times are milliseconds since
    1970.
    """

    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(LARGE, primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    seed_index: Mapped[int]
    attempt: Mapped[int]
    failures: Mapped[int]
    state: Mapped[str] = mapped_column(Text)
    token: Mapped[int | None] = mapped_column(LARGE)
    worker: Mapped[str | None] = mapped_column(Text)
    lease_end: Mapped[int | None] = mapped_column(LARGE)
    began: Mapped[int | None] = mapped_column(LARGE)
    where: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    record: Mapped[str | None] = mapped_column(Text)
    record_sha256: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("submission_id", "seed_index", "attempt"),)


# Each question of a lease is answered by the first row of one of these. Their conditions are
# written out, and in the questions again: a planner takes a partial index only for a condition
# that it can see (https://www.sqlite.org/partialindex.html, section 3).
WAITING = text("queued > 0")
IS_QUEUED = text("state = 'queued'")
HAS_END = text("lease_end IS NOT NULL")

for _name, _columns, _where in (
    ("submissions_waiting", (Submission.started, Submission.id), WAITING),
    ("runs_queued", (Run.submission_id, Run.seed_index), IS_QUEUED),
    ("runs_leased", (Run.lease_end,), HAS_END),
):
    Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)

REFUSAL = "events are only ever added to (docs/ledger.md)"
"""What the database says to another program's accident; the chain is for who means it."""

only_added_to(Base.metadata.tables["events"], REFUSAL)
