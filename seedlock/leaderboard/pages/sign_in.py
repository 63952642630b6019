"""Signing in with a token, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from seedlock.leaderboard import audit, sessions, tokens
from seedlock.leaderboard.dependencies import Now, Settings, Store, Visitor
from seedlock.leaderboard.forms import form
from seedlock.leaderboard.pages.showing import page
from seedlock.leaderboard.rate_limits import address, signing_in

router = APIRouter()

SEE_OTHER = 303
"""The browser goes on with GET."""

AFTER = "/account"
"""Where one is after signing in: always here, so that no link leads elsewhere by it."""


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Show the form."""
    return page(request, "sign_in.html", form=True, wrong=False)


@router.post("/sign-in", dependencies=[Depends(signing_in)])
def sign_in(
    request: Request, settings: Settings, store: Store, now: Now,
    sent: Annotated[dict[str, str], Depends(form)],
) -> Response:  # fmt: skip
    """Make a session from a token; the one that the browser had ends."""
    with store.write() as connection:
        row = tokens.find(connection, sent.get("token", "").strip(), now)
        note = audit.Note(now, "public", address(request), "sign in")
        if row is None:
            note.write(connection, "", "refused")
        else:
            note.by(tokens.viewer_of(row)).write(connection, "", "done")
            sessions.end(connection, sessions.cookie_of(request, settings))
            life = settings.limits.session_seconds
            secret = sessions.begin(connection, row.id, row.expires, now, life)
            tokens.note_use(connection, row.id, now)
    if row is None:
        return page(request, "sign_in.html", 403, form=True, wrong=True)
    response = RedirectResponse(AFTER, SEE_OTHER)
    sessions.set_cookie(response, settings, secret)
    return response


@router.post("/sign-out")
def sign_out(
    request: Request, visitor: Visitor, settings: Settings, store: Store, now: Now
) -> Response:
    """End the session."""
    with store.write() as connection:
        sessions.end(connection, sessions.cookie_of(request, settings))
        audit.Note(now, visitor.who, address(request), "sign out").write(connection, "", "done")
    response = RedirectResponse("/sign-in", SEE_OTHER)
    sessions.clear_cookie(response, settings)
    return response
