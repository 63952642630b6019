"""A round's ledger: what may be done with it, each in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from seedlock.errors import BadLedger, printable
from seedlock.evaluation.ledger import exporting, leases, verification
from seedlock.evaluation.ledger.database import Database
from seedlock.evaluation.ledger.leases import End, Held, Lease
from seedlock.evaluation.ledger.page import Page
from seedlock.evaluation.ledger.queueing import queue
from seedlock.evaluation.ledger.reading import read_events
from seedlock.evaluation.ledger.states import (
    ADDED,
    ENTERED,
    EXPIRED,
    FORMAT,
    HELD,
    RUNNING,
    STATE_OF,
    VERSION,
)  # fmt: skip
from seedlock.evaluation.ledger.status import Status, look
from seedlock.evaluation.ledger.tables import Round, Submission

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection


class Ledger:
    """The ledger of one round. Any number of processes may have it open; in one process, threads
    may share it. A process that forks opens its own.

    Every method may raise LedgerUnavailable, and OSError with ENOSPC where the disk is full: then
    nothing of it was done.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self.database = database
        self._clock = clock

    @classmethod
    def open(
        cls,
        where: str | os.PathLike[str],
        *,
        create: bool = True,
        clock: Callable[[], float] | None = None,
    ) -> Ledger:
        """Open a ledger.

        Args:
            where: a round's folder, a file, or a URL of SQLAlchemy's.
            create: make it where there is none.
            clock: returns seconds since 1970; the database's own by default.

        Raises:
            BadLedger: it is none.
            LedgerUnavailable: the server does not answer.
        """
        return cls(Database(where, create), clock)

    def __repr__(self) -> str:
        return f"Ledger({self.database.shown})"

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def enter(
        self, round_name: str, policy_digest: str, retries: int, freeze: str | None = None
    ) -> None:
        """Begin the ledger of a round; saying the same again does nothing.

        Args:
            round_name: the round.
            policy_digest: of its policy.
            retries: how often a seed is tried again after the machine failed, 0 and up.
            freeze: SHA-256 of the round's freeze.json, 64 digits.

        Raises:
            BadLedger: it is another round's.
        """
        with self._page() as page:
            there = (page.round, page.policy, page.retries, page.freeze)
            if page.round is not None:
                if there != (round_name, policy_digest, retries, freeze):
                    raise BadLedger(
                        f"{self.database.shown} is the ledger of round '{printable(page.round)}' "
                        f"with policy {page.policy}, {page.retries} retries, freeze {page.freeze}; "
                        f"given: '{printable(round_name)}', {policy_digest}, {retries}, {freeze}; "
                        "a round has a ledger of its own"
                    )
                return
            page.round, page.policy, page.retries = round_name, policy_digest, retries
            page.add(
                ENTERED,
                {"format": FORMAT, "version": VERSION, "policy": policy_digest, "freeze": freeze,
                 "retries": retries},
            )  # fmt: skip
            page.connection.execute(
                update(Round).values(
                    name=round_name, policy=policy_digest, retries=retries, freeze=freeze
                )
            )

    def add(self, submission_digest: str, name: str, visibility: str, seeds: int) -> None:
        """Queue the first attempt at each seed of a submission, as `add_all`."""
        self.add_all([(submission_digest, name, visibility, seeds)])

    def add_all(self, submissions: Sequence[tuple[str, str, str, int]]) -> None:
        """Queue the first attempt at each seed of submissions; one that is there is left as it is.

        Args:
            submissions: digest, name, visibility and number of seeds of each.

        Raises:
            BadLedger: a digest or a name is there with something else.
        """
        with self._page() as page:
            columns = (Submission.digest, Submission.name, Submission.visibility, Submission.seeds)
            there = {tuple(row) for row in page.connection.execute(select(*columns))}
            digests, names = {row[0] for row in there}, {row[1] for row in there}
            new = [each for each in submissions if tuple(each) not in there]
            for digest, name, visibility, seeds in new:
                if digest in digests or name in names or seeds < 1:
                    raise BadLedger(
                        f"submission '{printable(name)}' ({digest}, {seeds} seeds) does not fit "
                        f"what {self.database.shown} has; allowed: one digest, name and number of "
                        "seeds per submission; a round's submissions are frozen"
                    )
                digests.add(digest)
                names.add(name)
                page.add(ADDED, {"name": name, "visibility": visibility, "seeds": seeds}, digest)
            queue(page.connection, new)

    def lease(self, worker: str, seconds: float, limit: int = 1) -> list[Lease]:
        """Take runs for a worker: of the submission that had the fewest, its lowest seed index.

        Args:
            worker: who takes them.
            seconds: until when, from now; `beat` moves it.
            limit: how many at most.
        """
        with self._page() as page:
            end = page.now + _ms(seconds)
            taken: list[Lease] = []
            while len(taken) < limit and (lease := leases.take(page, worker, end)) is not None:
                taken.append(lease)
            return taken

    def beat(self, lease: Lease, seconds: float) -> bool:
        """Keep a lease for so long from now. False: it is lost, its holder must stop its run and
        can't finish it."""
        with self.database.write() as connection:
            return leases.prolong(connection, lease, self._now(connection) + _ms(seconds))

    def begin(self, lease: Lease, where: str) -> None:
        """Note that the run was started; saying the same again does nothing.

        Args:
            lease: its lease.
            where: the engine's name of it.

        Raises:
            LostLease: it is another's by now.
            ValueError: it was begun elsewhere.
        """
        with self._page() as page:
            row = leases.given(page.connection, lease)
            if row is None or row.state not in HELD:
                raise leases.lost(lease)
            if row.state == RUNNING:
                if row.where != where:
                    raise ValueError(f"{lease} was begun as {row.where}, not as {where}")
                return
            leases.begin(page, row, where)

    def finish(
        self,
        lease: Lease,
        outcome_class: str,
        record_path: str | None = None,
        record_sha256: str | None = None,
        reasons: Sequence[str] = (),
        usage: Mapping[str, Any] | None = None,
    ) -> str:
        """End a run and return the state that this leads to; saying the same again does nothing.

        When this returns, the end survives a loss of power.

        Args:
            lease: its lease.
            outcome_class: class of the record's outcome.
            record_path: where the record lies below the round's folder. It was renamed into its
                place before.
            record_sha256: of the record, 64 digits.
            reasons: the outcome's.
            usage: what it took; a float is written as text.

        Raises:
            LostLease: it is another's by now.
            ValueError: there is no such class.
        """
        if outcome_class not in STATE_OF:
            raise ValueError(f"class '{outcome_class}'; allowed: {', '.join(STATE_OF)}")
        used = None if usage is None else dict(usage)
        how = End(outcome_class, reasons, record_path, record_sha256, used)
        with self._page() as page:
            row = leases.given(page.connection, lease)
            if row is not None and row.state in HELD:
                return leases.end(page, row, how, row.worker)
            said = (outcome_class, record_path, record_sha256)
            if row is not None and (row.outcome, row.record, row.record_sha256) == said:
                return str(row.state)
            raise leases.lost(lease)

    def give_back(self, lease: Lease, why: str) -> str:
        """Queue a run again because it was interrupted; return the state of this attempt.

        Raises:
            LostLease: it is another's by now.
        """
        return self.finish(lease, "interrupted", reasons=[why])

    def expire(self) -> list[Lease]:
        """End each attempt whose lease is over as one that the machine failed; return them."""
        how = End("infrastructure", [EXPIRED])
        ended: list[Lease] = []
        while True:
            with self._page() as page:
                rows = leases.over(page.connection, page.now)
                for row in rows:
                    leases.end(page, row, how, None)
                    ended.append(leases.of(row))
            if not rows:
                return ended

    def held(self) -> list[Held]:
        """Return all leases, in the order in which they were given."""
        with self.database.read() as connection:
            return leases.held(connection)

    def status(self) -> Status:
        """Return how the round stands."""
        with self.database.read() as connection:
            return look(connection, self._now(connection))

    def head(self) -> tuple[int, str]:
        """Return sequence number and hash of the last event; 0 and zeros before the first."""
        with self.database.read() as connection:
            row = connection.execute(select(Round.sequence, Round.hash)).one()
            return row.sequence, row.hash

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the events after a sequence number, in order, as docs/ledger.md has them."""
        with self.database.read() as connection:
            yield from read_events(connection, after)

    def export(self, path: str) -> str:
        """Write all events to a file, whole or not at all; return the head."""
        return exporting.export(self.events(), path)

    def verify(self, heads: verification.Heads = ()) -> verification.Findings:
        """Check the chain, against heads that were noted elsewhere too, and the state."""
        return verification.verify(self.database, heads)

    @contextmanager
    def _page(self) -> Iterator[Page]:
        with self.database.write() as connection:
            page = Page(connection)
            page.now = self._now(connection)
            yield page
            page.close()

    def _now(self, connection: Connection) -> int:
        return self.database.now(connection) if self._clock is None else _ms(self._clock())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
