"""What a visitor's own token allows, and signing it out everywhere."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from seedlock.leaderboard import audit, credentials, sessions
from seedlock.leaderboard.dependencies import Now, Settings, Store, Visitor
from seedlock.leaderboard.moments import text
from seedlock.leaderboard.pages.showing import page
from seedlock.leaderboard.pages.sign_in import SEE_OTHER
from seedlock.leaderboard.problems import not_signed_in
from seedlock.leaderboard.rate_limits import address

router = APIRouter()


@router.get("/account")
def account(request: Request, visitor: Visitor, store: Store) -> Response:
    """Show it; who is not signed in is asked to."""
    if visitor.token_id is None:
        return RedirectResponse("/sign-in", SEE_OTHER)
    row = credentials.one(store, visitor.token_id)
    assert row is not None
    return page(request, "account.html", token=row, text=text)


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(
    request: Request, visitor: Visitor, settings: Settings, store: Store, now: Now
) -> Response:
    """End all sessions of the token, this one included."""
    if visitor.token_id is None:
        raise not_signed_in()
    note = audit.Note(now, visitor.who, address(request), "sign out everywhere")
    credentials.end_sessions(store, note, visitor.token_id)
    response = RedirectResponse("/sign-in", SEE_OTHER)
    sessions.clear_cookie(response, settings)
    return response
