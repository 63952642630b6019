"""What routes ask for: settings, database, moment, and who asks."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, cast

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from seedlock.errors import DatabaseUnavailable
from seedlock.leaderboard import rate_limits, sessions, tokens
from seedlock.leaderboard.access import PUBLIC, Viewer, may_administer
from seedlock.leaderboard.configuration import Configuration
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.problems import API, not_allowed, not_signed_in


def configuration(request: Request) -> Configuration:
    """Return the server's settings."""
    return cast("Configuration", request.app.state.configuration)


def database(request: Request) -> Database:
    """Return the server's database."""
    return cast("Database", request.app.state.database)


def now(request: Request) -> int:
    """Return the server's time, milliseconds since 1970."""
    return int(request.app.state.clock() * 1000)


def viewer(request: Request) -> Viewer:
    """Return who asks: in the interface by a bearer token and nothing else, so that no other site
    can make a browser ask; on the pages by the session's cookie and nothing else.

    Raises:
        Problem: 401, where a token was shown that is not good.
    """
    known = getattr(request.state, "viewer", None)
    if isinstance(known, Viewer):
        return known
    found = _bearer(request) if request.scope["path"].startswith(API) else _session(request)
    request.state.viewer = found
    return found


def _bearer(request: Request) -> Viewer:
    header = request.headers.get("authorization")
    if header is None:
        return PUBLIC
    scheme, _, text = header.partition(" ")
    moment = now(request)
    with database(request).read() as connection:
        good = scheme.lower() == "bearer"
        row = tokens.find(connection, text.strip(), moment) if good else None
    if row is None:
        raise not_signed_in("the token is unknown, expired or revoked")
    return _seen(request, row, moment)


def _session(request: Request) -> Viewer:
    secret = sessions.cookie_of(request, configuration(request))
    if not secret:
        return PUBLIC
    moment = now(request)
    with database(request).read() as connection:
        row = sessions.find(connection, secret, moment)
    return PUBLIC if row is None else _seen(request, row, moment)


def _seen(request: Request, row: object, moment: int) -> Viewer:
    found = tokens.viewer_of(row)
    rate_limits.limits_of(request).token.demand(str(found.token_id))
    last = cast("int | None", getattr(row, "last_used", None))
    if found.token_id is not None and (last is None or moment - last >= tokens.USED):
        # A full disk is no reason to show nothing.
        with (
            suppress(DatabaseUnavailable, OSError),
            database(request).write() as connection,
        ):
            tokens.note_use(connection, found.token_id, moment)
    return found


# FastAPI takes a thread for each dependency that is no coroutine, which costs more than these do:
# a request of nobody known gets through them without any.
async def _configuration(request: Request) -> Configuration:
    return configuration(request)


async def _database(request: Request) -> Database:
    return database(request)


async def _now(request: Request) -> int:
    return now(request)


async def _viewer(request: Request) -> Viewer:
    if "cookie" in request.headers or "authorization" in request.headers:
        return await run_in_threadpool(viewer, request)
    request.state.viewer = PUBLIC
    return PUBLIC


Settings = Annotated[Configuration, Depends(_configuration)]
Store = Annotated[Database, Depends(_database)]
Now = Annotated[int, Depends(_now)]
Visitor = Annotated[Viewer, Depends(_viewer)]


async def administrator(visitor: Visitor) -> Viewer:
    """Return an organiser of the whole server.

    Raises:
        Problem: 401 or 403, it is somebody else.
    """
    if not visitor.signed_in:
        raise not_signed_in()
    if not may_administer(visitor):
        raise not_allowed("organisers of all rounds")
    return visitor


async def signed_in(visitor: Visitor) -> Viewer:
    """Return who asks with a token.

    Raises:
        Problem: 401, nobody does.
    """
    if not visitor.signed_in:
        raise not_signed_in()
    return visitor


Administrator = Annotated[Viewer, Depends(administrator)]
SignedIn = Annotated[Viewer, Depends(signed_in)]
