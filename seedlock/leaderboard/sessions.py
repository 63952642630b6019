"""Sessions of browsers: a cookie, hashed at rest, that ends with the token it was made from.

A session is new at each signing in, whatever cookie the browser came with, so that nobody can be
given a session that somebody else knows (OWASP Session Management Cheat Sheet, session fixation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from seedlock.leaderboard.tables import Session, Token
from seedlock.leaderboard.tokens import FACTS, hashed, random_text

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from seedlock.leaderboard.configuration import Configuration

COOKIE = "seedlock_session"


def cookie_name(configuration: Configuration, name: str = COOKIE) -> str:
    """Return a cookie's name. With https it begins with `__Host-`: a browser then takes it from
    this host only, not from a neighbour below the same domain (RFC 6265bis, section 4.1.3.2)."""
    return f"__Host-{name}" if configuration.secure else name


def begin(connection: Connection, token_id: int, token_expires: int, now: int, life: int) -> str:
    """Make a session and return what goes into its cookie; expired ones are forgotten.

    Args:
        connection: a transaction that may write.
        token_id: with which token somebody signed in.
        token_expires: its end; milliseconds since 1970, as `now`.
        now: the moment.
        life: longest life in seconds.
    """
    connection.execute(delete(Session).where(Session.expires <= now))
    secret = random_text()
    connection.execute(
        insert(Session).values(
            sha256=hashed(secret), token_id=token_id, created=now,
            expires=min(token_expires, now + life * 1000),
        )
    )  # fmt: skip
    return secret


def find(connection: Connection, secret: str, now: int) -> Any | None:
    """Return the row (`tokens.FACTS`) of a session's token; None where one of both has ended."""
    good = (
        Session.sha256 == hashed(secret), Session.expires > now,
        Token.revoked.is_(None), Token.expires > now,
    )  # fmt: skip
    joined = FACTS.join(Session, Session.token_id == Token.id)
    return connection.execute(joined.where(*good)).one_or_none()


def end(connection: Connection, secret: str) -> None:
    """Forget a session."""
    connection.execute(delete(Session).where(Session.sha256 == hashed(secret)))


def cookie_of(request: Request, configuration: Configuration) -> str:
    """Return what a browser sent as its session, or nothing."""
    return request.cookies.get(cookie_name(configuration), "")


def set_cookie(
    response: Response, configuration: Configuration, value: str, name: str = COOKIE
) -> None:
    """Send a cookie that no script reads, and that no other site's link or form makes a browser
    send. It is gone with the browser's own session; the server forgets it earlier."""
    response.set_cookie(
        cookie_name(configuration, name), value, path="/", secure=configuration.secure,
        httponly=True, samesite="strict",
    )  # fmt: skip


def clear_cookie(response: Response, configuration: Configuration) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(
        cookie_name(configuration), path="/", secure=configuration.secure, httponly=True,
        samesite="strict",
    )  # fmt: skip
