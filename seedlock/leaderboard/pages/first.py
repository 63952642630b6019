"""The one-time link of the first start: opened, asked, used up.

Opening it changes nothing, so that a program that looks at links beforehand uses none up.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from seedlock.leaderboard import audit, first_link, sessions, tokens
from seedlock.leaderboard.access import ORGANISER, Viewer
from seedlock.leaderboard.dependencies import Now, Settings, Store
from seedlock.leaderboard.forms import form
from seedlock.leaderboard.pages.showing import page
from seedlock.leaderboard.problems import Problem
from seedlock.leaderboard.rate_limits import address, signing_in

router = APIRouter()


@router.get(first_link.PATH)
def ask(request: Request, code: str = "") -> Response:
    """Ask whether the link is to be used up now."""
    return page(request, "first.html", form=True, code=code[:100])


@router.post(first_link.PATH, dependencies=[Depends(signing_in)])
def use(
    request: Request, settings: Settings, store: Store, now: Now,
    sent: Annotated[dict[str, str], Depends(form)],
) -> Response:  # fmt: skip
    """Issue the organiser's token, sign its owner in, and show it this once."""
    note = audit.Note(now, "public", address(request), "use organiser's link")
    with store.write() as connection:
        good = first_link.use(connection, sent.get("code", ""), now)
        if good:
            days = min(first_link.DAYS, settings.limits.token_days)
            number, token = tokens.issue(
                connection, now, ORGANISER, days, note="from the server's own link"
            )
            life = settings.limits.session_seconds
            sessions.end(connection, sessions.cookie_of(request, settings))
            secret = sessions.begin(connection, number, now + days * tokens.DAY, now, life)
        note.write(connection, f"token {number}" if good else "", "done" if good else "refused")
    if not good:
        raise Problem(
            403, "this link was used, is too old or was never one",
            cure="say seedlock serve FOLDER --new-link on the server",
        )  # fmt: skip
    request.state.viewer = Viewer(ORGANISER, token_id=number)
    response = page(request, "token_once.html", token=token, what="Your organiser's token",
                    session=secret)  # fmt: skip
    sessions.set_cookie(response, settings, secret)
    return response
