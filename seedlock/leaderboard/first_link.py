"""The one-time link that makes its first user an organiser: at the first start, or when all
tokens were lost. Nothing has a default secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from seedlock.leaderboard.access import ORGANISER
from seedlock.leaderboard.tables import OneTimeLink, Token
from seedlock.leaderboard.tokens import hashed, random_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

PATH = "/first"

DAYS = 365
"""Life of the first token."""


def needed(connection: Connection) -> bool:
    """Return whether no organiser's token was ever issued."""
    asked = select(Token.id).where(Token.role == ORGANISER).limit(1)
    return connection.execute(asked).first() is None


def new(connection: Connection, now: int, life: int, url: str) -> str:
    """Make a link and return it; earlier ones are void.

    Args:
        connection: a transaction that may write.
        now: milliseconds since 1970.
        life: seconds.
        url: the server's.
    """
    connection.execute(update(OneTimeLink).where(OneTimeLink.used.is_(None)).values(used=now))
    code = random_text()
    connection.execute(
        insert(OneTimeLink).values(sha256=hashed(code), created=now, expires=now + life * 1000)
    )
    return f"{url.rstrip('/')}{PATH}?code={code}"


def use(connection: Connection, code: str, now: int) -> bool:
    """Use a link up, and return whether it was good: of two who come at once, one gets it."""
    good = (OneTimeLink.sha256 == hashed(code), OneTimeLink.used.is_(None),
            OneTimeLink.expires > now)  # fmt: skip
    return connection.execute(update(OneTimeLink).where(*good).values(used=now)).rowcount == 1
