"""Pages from the templates of this package, with what all of them know about their visitor."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request

from seedlock.leaderboard import forms, sessions
from seedlock.leaderboard.access import PUBLIC, Viewer, may_administer
from seedlock.leaderboard.dependencies import configuration


@cache
def templates() -> Environment:
    """Return the templates; each is read and compiled once."""
    folder = files("seedlock.leaderboard") / "templates"
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
    )


def page(
    request: Request, template: str, status: int = 200, form: bool = False, **values: Any
) -> HTMLResponse:
    """Return a page.

    Args:
        request: asked for it; `request.state.viewer` is who, once a route has asked for a Visitor.
        template: file in the folder of templates.
        status: of HTTP.
        form: it has a form that visitors use before they sign in; those who are signed in may get
            forms on any page.
        values: what the template calls by name, besides `viewer`, `administrator` and `csrf`, the
            value of each form's hidden field.
    """
    visitor = getattr(request.state, "viewer", PUBLIC)
    assert isinstance(visitor, Viewer)
    secret = forms.secret_of(request, visitor)
    fresh = form and not secret
    if fresh:
        secret = forms.new_secret()
    text = templates().get_template(template).render(
        viewer=visitor, administrator=may_administer(visitor),
        csrf=forms.csrf_of(secret) if secret else "", **values,
    )  # fmt: skip
    response = HTMLResponse(text, status)
    if fresh:
        sessions.set_cookie(response, configuration(request), secret, forms.COOKIE)
    return response
