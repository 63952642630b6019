"""Pages from the templates of this package, with what all of them know about their visitor."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fastapi.responses import HTMLResponse
from starlette.requests import Request

from seedlock.errors import DatabaseUnavailable
from seedlock.leaderboard import forms, sessions
from seedlock.leaderboard.access import PUBLIC, Viewer, may_administer
from seedlock.leaderboard.dependencies import configuration, viewer
from seedlock.leaderboard.links import ServerLinks
from seedlock.leaderboard.problems import Problem
from seedlock.leaderboard.rendering import render


def page(
    request: Request,
    template: str,
    status: int = 200,
    form: bool = False,
    session: str = "",
    **values: Any,
) -> HTMLResponse:
    """Return a page.

    Args:
        request: asked for it; `request.state.viewer` is who, once a route has asked for a Visitor.
        template: file in the folder of templates.
        status: of HTTP.
        form: it has a form that visitors use before they sign in; those who are signed in may get
            forms on any page.
        session: the session that this answer begins, in whose cookie the next form comes.
        values: what the template calls by name, besides `viewer`, `administrator` and `csrf`, the
            value of each form's hidden field.
    """
    visitor = getattr(request.state, "viewer", PUBLIC)
    assert isinstance(visitor, Viewer)
    secret = session or forms.secret_of(request, visitor)
    fresh = form and not secret
    if fresh:
        secret = forms.new_secret()
    text = render(
        template, values.pop("view", None), values.pop("links", ServerLinks()), visitor,
        administrator=may_administer(visitor), csrf=forms.csrf_of(secret) if secret else "",
        **values,
    )  # fmt: skip
    response = HTMLResponse(text, status)
    if fresh:
        sessions.set_cookie(response, configuration(request), secret, forms.COOKIE)
    return response


def error_page(request: Request, template: str, status: int, **values: Any) -> HTMLResponse:
    """Return a page about an error; takes what `page` does.

    Where no route was found, none has asked who it is, and the page would call somebody who is
    signed in a stranger.
    """
    if status == 404:
        with suppress(Problem, DatabaseUnavailable):
            viewer(request)
    return page(request, template, status, **values)
