"""What one transaction adds to a ledger: events with their hashes, in order, and the new head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from seedlock.errors import BadLedger
from seedlock.evaluation.ledger.chain import canonical, digest, time_text
from seedlock.evaluation.ledger.tables import Event, Round

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = select(Round).with_for_update()
_HEAD = update(Round).where(Round.id == 1).values(sequence=bindparam("s"), hash=bindparam("h"))
_ADD = insert(Event)


class Page:
    """A page being written. Whoever writes waits for the row of the round first, so that there is
    one chain however many processes write.

    Args:
        connection: a transaction that may write.

    Attributes:
        round: name of the round; None before `enter`.
        policy: digest of its policy.
        freeze: SHA-256 of its freeze.json.
        retries: how often a seed is tried again after the machine failed.
        sequence: of the last event.
        now: the ledger's time, milliseconds since 1970; set by who makes the page.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        row = connection.execute(_LOCK).one()
        self.round: str | None = row.name
        self.policy: str | None = row.policy
        self.freeze: str | None = row.freeze
        self.retries: int = row.retries or 0
        self.sequence: int = row.sequence
        self.now = 0
        self._hash: str = row.hash
        self._rows: list[dict[str, Any]] = []

    def add(
        self,
        kind: str,
        content: dict[str, Any],
        submission: str | None = None,
        seed_index: int | None = None,
        attempt: int | None = None,
        worker: str | None = None,
    ) -> int:
        """Add an event and return its sequence number.

        Raises:
            BadLedger: no round was entered.
            ValueError: the content has no canonical JSON.
        """
        if self.round is None:
            raise BadLedger("the ledger has no round yet; seedlock evaluate enters it")
        event = {
            "sequence": self.sequence + 1,
            "time": time_text(self.now),
            "round": self.round,
            "submission": submission,
            "seed_index": seed_index,
            "attempt": attempt,
            "kind": kind,
            "worker": worker,
            "content": content,
            "previous": self._hash,
        }
        event["hash"] = digest(event)
        self.sequence += 1
        self._hash = str(event["hash"])
        self._rows.append({**event, "content": canonical(content)})
        return self.sequence

    def close(self) -> None:
        """Hand the events to the transaction."""
        if self._rows:
            self.connection.execute(_ADD, self._rows)
            self.connection.execute(_HEAD, {"s": self.sequence, "h": self._hash})
            self._rows = []
