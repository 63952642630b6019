"""Forms that other sites can't send."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from seedlock.leaderboard import application, forms
from seedlock.leaderboard.forms import SAFE, csrf_of
from tests.leaderboard.conftest import Site, csrf


def unsafe_routes() -> list[tuple[str, str]]:
    """Return method and path of all that the pages take and that may change something."""
    return [
        (method, re.sub(r"\{\w+\}", "1", route.path))
        for router in application.PAGE_ROUTERS
        for route in router.routes
        if isinstance(route, Route) and not getattr(route.endpoint, "harmless", False)
        for method in sorted((route.methods or set()) - SAFE)
    ]


def test_no_form_is_read_before_it_is_known_whose_it_is() -> None:
    """FastAPI reads a body that a route declares before it asks any dependency; `forms.form` is
    asked after the checks. And the list of forms has those that there are."""
    routes = [each for router in application.PAGE_ROUTERS for each in router.routes]

    assert [each for each in routes if getattr(each, "body_field", None) is not None] == []
    assert {("POST", "/sign-in"), ("POST", "/administration/tokens/1/revoke")} <= set(
        unsafe_routes()
    )


@pytest.mark.parametrize(("method", "path"), unsafe_routes())
def test_each_form_needs_its_field(site: Site, method: str, path: str) -> None:
    """Without it, with somebody else's, or with one made up, nothing is done."""
    browser = site.sign_in(site.token("organiser"))
    other = csrf(site.sign_in(site.token("organiser")).get("/account"))
    for fields in ({}, {"csrf": ""}, {"csrf": other}, {"csrf": "0" * 64}, {"csrf": csrf_of("")}):
        answer = browser.request(method, path, data=fields)

        assert answer.status_code == 403, fields
        assert "not from a page that you have open" in answer.text


@pytest.mark.parametrize(("method", "path"), unsafe_routes())
def test_nobody_needs_it_too(site: Site, method: str, path: str) -> None:
    """Else somebody could be signed in as somebody else without noticing."""
    for fields in ({}, {"csrf": csrf_of("")}, {"csrf": "é"}):
        answer = site.new_client().request(method, path, data=fields)

        assert answer.status_code == 403, fields


@pytest.mark.parametrize(("method", "path"), unsafe_routes())
def test_no_form_is_taken_from_elsewhere(site: Site, method: str, path: str) -> None:
    """Even with the right field."""
    browser = site.sign_in(site.token("organiser"))
    fields = {"csrf": csrf(browser.get("/account"))}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = browser.request(method, path, data=fields, headers=headers)

        assert answer.status_code == 403
        assert "from another site" in answer.text


def test_a_form_of_this_site_is_taken(site: Site) -> None:
    """With what a browser says of it."""
    browser = site.sign_in(site.token("organiser"))
    fields = {"csrf": csrf(browser.get("/administration")), "name": "Blue"}
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    answer = browser.post("/administration/teams", data=fields, headers=headers)

    assert answer.status_code == 303
    assert "Blue" in browser.get("/administration").text


def test_a_field_of_before_is_worth_nothing_later(site: Site) -> None:
    """It goes with one session."""
    token = site.token("organiser")
    browser = site.sign_in(token)
    old = csrf(browser.get("/account"))
    browser.post("/sign-out", data={"csrf": old})
    site.sign_in(token, browser)

    assert browser.post("/sign-out", data={"csrf": old}).status_code == 403


def test_a_made_up_cookie_is_no_secret(site: Site) -> None:
    """A neighbour below the domain may set a cookie, but not one that another site's form could
    go with: what is no value of ours counts as none."""
    for planted in ("x", "", "A" * 42, "A" * 44):
        client = site.new_client(cookies={forms.COOKIE: planted})
        answer = client.post("/sign-in", data={"token": "x", "csrf": csrf_of(planted)})

        assert answer.status_code == 403
        assert "not from a page that you have open" in answer.text


def test_files_of_strangers_are_not_read(site: Site) -> None:
    """Only who is signed in may send one."""
    answer = site.client.post("/sign-in", files={"file": b"x" * 1000})

    assert answer.status_code == 403
    assert "signed in" in answer.text
