"""Forms of the pages, safe against those of other sites (CSRF), and against signing somebody in
as somebody else.

Two walls (OWASP Cross-Site Request Forgery Prevention Cheat Sheet). What a browser says of where
a request comes from (Origin, Sec-Fetch-Site) must be this site. And each form has a hidden field
`csrf` that follows from the visitor's cookie, which no other site can read: the session's, or
before signing in one that is made with the form.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from seedlock.leaderboard import sessions
from seedlock.leaderboard.access import Viewer
from seedlock.leaderboard.dependencies import Visitor, configuration
from seedlock.leaderboard.problems import Problem
from seedlock.leaderboard.tokens import random_text

if TYPE_CHECKING:
    from collections.abc import Callable

FIELD = "csrf"

COOKIE = "seedlock_form"
"""Of visitors who are not signed in and were shown a form."""

LONGEST = 1 << 16
"""Bytes of a field, which is held in memory; files are not."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")

LOADED = TypeVar("LOADED", bound="Callable[..., Any]")


def csrf_of(secret: str) -> str:
    """Return the hidden field that goes with a cookie's value; nothing can be told back from it."""
    return hashlib.sha256(b"seedlock csrf\0" + secret.encode("utf-8", "surrogatepass")).hexdigest()


def secret_of(request: Request, visitor: Viewer) -> str:
    """Return the value of the cookie that this visitor's forms go with, or nothing."""
    settings = configuration(request)
    if visitor.signed_in:
        return sessions.cookie_of(request, settings)
    held = request.cookies.get(sessions.cookie_name(settings, COOKIE), "")
    return held if SECRET.fullmatch(held) else ""


def harmless(route: LOADED) -> LOADED:
    """Mark a route that takes a form and changes nothing, as one that checks a round: it may be
    on pages that are the same for all visitors."""
    route.harmless = True  # type: ignore[attr-defined]
    return route


def _from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    settings = configuration(request)
    if origin.lower() == settings.origin:
        return True
    scheme, _, host = origin.lower().partition("://")
    return scheme == settings.origin.partition("://")[0] and host in settings.known_hosts


async def protected(request: Request, visitor: Visitor) -> None:
    """Refuse each unsafe request that does not come from a form of this site's.

    All routes of the pages have it (application.py), so that no new one can forget it.

    Raises:
        Problem: 403.
    """
    if request.method in SAFE:
        return
    if not _from_here(request):
        raise Problem(
            403, "this form was sent from another site", allowed=configuration(request).origin,
            cure="open the page here and send its form",
        )  # fmt: skip
    if getattr(request.scope.get("endpoint"), "harmless", False):
        return
    kind = request.headers.get("content-type", "")
    if not visitor.signed_in and not kind.startswith("application/x-www-form-urlencoded"):
        # Files of people that nobody knows are not even read.
        raise Problem(403, "files are taken from those who are signed in", cure="sign in")
    given = (await form(request)).get(FIELD, "")
    secret = secret_of(request, visitor)
    if not secret or not hmac.compare_digest(csrf_of(secret).encode(), given.encode()):
        raise Problem(
            403, "this form is not from a page that you have open now",
            cure="load its page again and send it from there; cookies must be allowed",
        )  # fmt: skip


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form; of one that was sent twice, the last."""
    sent: FormData = await request.form(max_files=1, max_fields=50, max_part_size=LONGEST)
    return {name: value for name, value in sent.items() if not isinstance(value, UploadFile)}


async def file(request: Request, name: str) -> UploadFile:
    """Return the file of a form that was read (`form`); it is gone once it is closed.

    Raises:
        Problem: 422, none was chosen.
    """
    found = (await request.form()).get(name)
    if not isinstance(found, UploadFile) or not found.size:
        raise Problem(422, "no file came with the form", allowed="one that is not empty",
                      cure="choose it and send the form again")  # fmt: skip
    return found


def new_secret() -> str:
    """Return what goes into the cookie of a visitor's first form."""
    return random_text()
