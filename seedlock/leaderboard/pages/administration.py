"""Teams, tokens and the audit log, for organisers of the whole server."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from seedlock.leaderboard import audit, credentials
from seedlock.leaderboard.access import ROLES
from seedlock.leaderboard.dependencies import Administrator, Now, Settings, Store
from seedlock.leaderboard.forms import form
from seedlock.leaderboard.moments import text
from seedlock.leaderboard.pages.showing import page
from seedlock.leaderboard.pages.sign_in import SEE_OTHER
from seedlock.leaderboard.problems import Problem
from seedlock.leaderboard.rate_limits import address

router = APIRouter(prefix="/administration")

Sent = Annotated[dict[str, str], Depends(form)]

LARGEST = (1 << 31) - 1

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Before = Annotated[int | None, Query(ge=1, le=LARGEST)]

CHOICES = 500
"""Teams that a form offers; the interface takes any."""


@router.get("")
def administration(
    request: Request, _by: Administrator, settings: Settings, store: Store, now: Now,
    before: Before = None,
) -> Response:  # fmt: skip
    """Show teams, tokens, and the forms for new ones."""
    size = settings.limits.page_size
    rows = credentials.issued(store, before, size + 1)
    return page(
        request, "administration.html", teams=credentials.teams(store, "", CHOICES),
        tokens=rows[:size], older=rows[size - 1].id if len(rows) > size else None, roles=ROLES,
        now=now, text=text, days=settings.limits.token_days, note=credentials.LONGEST_NOTE,
    )  # fmt: skip


@router.post("/teams")
def make_team(
    request: Request, by: Administrator, store: Store, now: Now, sent: Sent
) -> Response:  # fmt: skip
    """Make a team."""
    note = audit.Note(now, by.who, address(request), "make team")
    credentials.make_team(store, note, sent.get("name", "").strip())
    return RedirectResponse("/administration", SEE_OTHER)


@router.post("/tokens")
def issue(
    request: Request, by: Administrator, settings: Settings, store: Store, now: Now, sent: Sent
) -> Response:
    """Issue a token and show it this once."""
    note = audit.Note(now, by.who, address(request), "issue token")
    given = {name: value.strip() or None for name, value in sent.items()}
    days = given.get("days") or ""
    if not (days.isascii() and days.isdecimal() and len(days) < 6):
        raise Problem(422, "these are no days", given=days, allowed="a number")
    number, token = credentials.issue(
        store, note, settings.limits, by, given.get("role") or "", int(days), given.get("team"),
        given.get("round"), given.get("note") or "",
    )  # fmt: skip
    return page(request, "token_once.html", 201, token=token, what=f"Token {number}")


@router.post("/tokens/{number}/revoke")
def revoke(
    request: Request, by: Administrator, store: Store, now: Now, number: Number
) -> Response:  # fmt: skip
    """Take a token back; one's own too, which signs out."""
    note = audit.Note(now, by.who, address(request), "revoke token")
    credentials.revoke(store, note, number)
    return RedirectResponse("/administration", SEE_OTHER)


@router.get("/audit")
def log(
    request: Request, _by: Administrator, settings: Settings, store: Store,
    before: Annotated[int | None, Query(ge=1, le=(1 << 63) - 1)] = None,
) -> Response:  # fmt: skip
    """Show the audit log, the newest first."""
    size = settings.limits.page_size
    rows = audit.entries(store, before, size + 1)
    older = rows[size - 1].id if len(rows) > size else None
    return page(request, "audit.html", entries=rows[:size], older=older, text=text)
