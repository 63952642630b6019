"""Tokens: the only credential. An organiser issues them, each for one role, and takes them back.

A token is `slk_` and 32 bytes of the system's randomness in base64url. The server keeps its
SHA-256 only: with 256 bits to guess, a slow hash would add nothing (NIST SP 800-63B, section
5.1.2.2, asks for salt and stretching below 112 bits).
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from seedlock.evaluation.rounds.hidden_seeds import from_system
from seedlock.leaderboard.access import AUTHOR, ROLES, Viewer
from seedlock.leaderboard.tables import Team, Token

if TYPE_CHECKING:
    from sqlalchemy import Connection

PREFIX = "slk_"

FORM = re.compile(r"slk_[A-Za-z0-9_-]{43}")

DAY = 86_400_000
"""Milliseconds."""

USED = 60_000
"""Milliseconds that pass before the use of a token is noted anew: a request should not write."""

FACTS = select(
    Token.id, Token.role, Token.team_id, Team.name.label("team"), Token.round, Token.last_used,
    Token.expires,
).join(Team, Team.id == Token.team_id, isouter=True)  # fmt: skip


def random_text() -> str:
    """Return 32 bytes of the system's randomness as 43 characters of base64url.

    Raises:
        BadRound: REPRO_SEED is in force in this process, and could decide them.
    """
    return base64.urlsafe_b64encode(from_system(32)).decode().rstrip("=")


def new() -> str:
    """Return a new token."""
    return PREFIX + random_text()


def hashed(text: str) -> str:
    """Return what is kept of a token, session or link: its SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def issue(
    connection: Connection,
    now: int,
    role: str,
    days: int,
    team_id: int | None = None,
    round_name: str | None = None,
    note: str = "",
    by: int | None = None,
) -> tuple[int, str]:
    """Make a token and return its number and its text, which is seen here only.

    Args:
        connection: a transaction that may write.
        now: milliseconds since 1970.
        role: organiser, author or reviewer.
        days: its life.
        team_id: an author's team, and nobody else's.
        round_name: the one round that it is good for, or None for all.
        note: what the organiser wants to remember of it.
        by: the token with which it is issued.

    Raises:
        ValueError: there is no such role, or the team does not go with it.
    """
    if role not in ROLES or (role == AUTHOR) != (team_id is not None):
        raise ValueError(f"no token for {role} and team {team_id}")
    text = new()
    done = connection.execute(
        insert(Token).values(
            sha256=hashed(text), role=role, team_id=team_id, round=round_name, note=note,
            created=now, created_by=by, expires=now + days * DAY, revoked=None, last_used=None,
        )
    )  # fmt: skip
    (number,) = done.inserted_primary_key or (None,)
    assert isinstance(number, int)
    return number, text


def find(connection: Connection, text: str, now: int) -> Any | None:
    """Return the row (`FACTS`) of a token that is good now, or None."""
    if not FORM.fullmatch(text):
        return None
    good = (Token.sha256 == hashed(text), Token.revoked.is_(None), Token.expires > now)
    return connection.execute(FACTS.where(*good)).one_or_none()


def viewer_of(row: Any) -> Viewer:
    """Return who comes with a token, from its row."""
    return Viewer(row.role, row.team_id, row.team, row.id, row.round)


def note_use(connection: Connection, token_id: int, now: int) -> None:
    """Note that a token was used just now."""
    connection.execute(update(Token).where(Token.id == token_id).values(last_used=now))


def revoke(connection: Connection, token_id: int, now: int) -> bool:
    """Take a token back, and with it its sessions; return whether it was good or expired."""
    live = (Token.id == token_id, Token.revoked.is_(None))
    return connection.execute(update(Token).where(*live).values(revoked=now)).rowcount == 1
