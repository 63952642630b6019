"""The audit log: who did what to what, from where, and what became of it.

It holds no token, no seed and no line break: what comes from visitors is cut to printable ASCII,
and what looks like a token is taken out even where somebody typed it into a wrong field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from seedlock.errors import printable
from seedlock.leaderboard.tables import Audit
from seedlock.leaderboard.tokens import FORM, PREFIX

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from seedlock.leaderboard.access import Viewer
    from seedlock.leaderboard.database import Database

LONGEST = 300
"""Characters of one part."""


def cleaned(text: str) -> str:
    """Return what may stand in a log of what somebody sent."""
    return printable(FORM.sub(f"{PREFIX}...", text), LONGEST)


@dataclass(frozen=True)
class Note:
    """The first half of a row: known before it is known how it ends.

    Args:
        time: milliseconds since 1970.
        who: `Viewer.who`.
        address: where the request came from.
        what: was done, in words of the house, as "issue token".
    """

    time: int
    who: str
    address: str
    what: str

    def by(self, viewer: Viewer) -> Note:
        """Return the same by somebody else."""
        return replace(self, who=viewer.who)

    def write(self, connection: Connection, on: str, outcome: str) -> None:
        """Add the row, within the transaction of what it tells about.

        Args:
            connection: a transaction that may write.
            on: to what, as a team's name or a submission's digest.
            outcome: "done", or "refused" with the reason.
        """
        connection.execute(
            insert(Audit).values(
                time=self.time, who=cleaned(self.who), address=cleaned(self.address),
                what=cleaned(self.what), on=cleaned(on), outcome=cleaned(outcome),
            )
        )  # fmt: skip


def entries(database: Database, before: int | None, most: int) -> list[Any]:
    """Return rows, the newest first, those with smaller numbers than `before`."""
    asked = select(
        Audit.id, Audit.time, Audit.who, Audit.address, Audit.what, Audit.on, Audit.outcome
    )
    if before is not None:
        asked = asked.where(Audit.id < before)
    with database.read() as connection:
        return list(connection.execute(asked.order_by(Audit.id.desc()).limit(most)))
