"""Teams and tokens, by the pages and by the interface."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from seedlock.leaderboard import tokens
from seedlock.leaderboard.configuration import Limits
from tests.leaderboard.conftest import Site, bearer, csrf

API = "/api/v1"


def asked(site: Site, token: str, method: str, path: str, body: object = None) -> Response:
    """Ask the interface."""
    answer: Response = site.client.request(method, API + path, headers=bearer(token), json=body)
    return answer


def sent(browser: TestClient, path: str, **fields: str) -> Response:
    """Send a form of the administration's."""
    page = browser.get("/administration")
    answer: Response = browser.post(f"/administration{path}", data={"csrf": csrf(page), **fields})
    return answer


def test_a_day_of_an_organiser_on_the_pages(site: Site) -> None:
    """A team, a token for it that works, and its end."""
    browser = site.sign_in(site.token("organiser"))
    made = sent(browser, "/teams", name="Blue 1")
    issued = sent(
        browser, "/tokens", role="author", team="Blue 1", round="spring", days="7", note="for Ann"
    )
    (token,) = tokens.FORM.findall(issued.text)
    me = asked(site, token, "GET", "/me").json()
    listed = browser.get("/administration").text
    revoked = sent(browser, f"/tokens/{me['token']}/revoke")

    assert (made.status_code, issued.status_code, revoked.status_code) == (303, 201, 303)
    assert issued.headers["cache-control"] == "no-store"
    assert (me["role"], me["team"], me["round"]) == ("author", "Blue 1", "spring")
    assert "for Ann" in listed and token not in listed
    assert asked(site, token, "GET", "/me").status_code == 401
    assert "revoked 20" in browser.get("/administration").text


def test_a_day_of_an_organiser_in_the_interface(site: Site) -> None:
    """The same, by a program."""
    mine = site.token("organiser")
    made = asked(site, mine, "POST", "/teams", {"name": "Blue"})
    wanted = {"role": "author", "team": "Blue", "days": 7, "note": "for Ann"}
    issued = asked(site, mine, "POST", "/tokens", wanted)
    theirs = issued.json()["token"]
    listed = asked(site, mine, "GET", "/tokens").json()["tokens"]
    path = f"/tokens/{issued.json()['id']}"
    codes = [asked(site, mine, "DELETE", path).status_code for _ in range(2)]

    assert (made.status_code, issued.status_code, codes) == (201, 201, [204, 204])
    assert issued.headers["cache-control"] == "no-store"
    assert issued.json()["expires"] == "2026-09-28T14:13:20Z"
    assert asked(site, mine, "GET", "/teams").json()["teams"][0]["name"] == "Blue"
    assert [each["role"] for each in listed] == ["author", "organiser"]
    assert all("token" not in each for each in listed)
    assert asked(site, theirs, "GET", "/me").status_code == 401
    assert asked(site, mine, "DELETE", "/tokens/99").status_code == 404


PATHS = [
    ("GET", "/teams", None),
    ("POST", "/teams", {"name": "Red"}),
    ("GET", "/tokens", None),
    ("POST", "/tokens", {"role": "organiser"}),
    ("DELETE", "/tokens/1", None),
    ("GET", "/audit", None),
]


@pytest.mark.parametrize(("method", "path", "body"), PATHS)
def test_nobody_else_administers(
    site: Site, method: str, path: str, body: dict[str, str] | None
) -> None:
    """Authors, reviewers, organisers of one round, and nobody at all."""
    others = [
        site.token("author", "Blue"),
        site.token("reviewer"),
        site.token("organiser", round_name="spring"),
    ]

    for token in others:
        assert asked(site, token, method, path, body).status_code == 403
    assert site.client.request(method, API + path, json=body).status_code == 401
    assert asked(site, site.token("organiser"), "GET", "/audit").json()["entries"] == []


@pytest.mark.parametrize("path", ["/administration", "/administration/audit"])
def test_nobody_else_sees_the_pages(site: Site, path: str) -> None:
    """Not by address either."""
    for role, team, name in (("author", "Blue", None), ("reviewer", None, None),
                             ("organiser", None, "spring")):  # fmt: skip
        browser = site.sign_in(site.token(role, team, name))
        page = browser.get("/account")

        assert browser.get(path).status_code == 403
        assert 'href="/administration"' not in page.text
        for form in ("/teams", "/tokens", "/tokens/1/revoke"):
            fields = {"csrf": csrf(page), "name": "Red", "role": "organiser", "days": "1"}
            assert browser.post(f"/administration{form}", data=fields).status_code == 403
    assert site.client.get(path).status_code == 401


WRONG = [
    {"role": "public"},
    {"role": "root"},
    {"role": "author"},
    {"role": "organiser", "team": "Blue"},
    {"role": "reviewer", "days": 0},
    {"role": "reviewer", "days": 401},
    {"role": "reviewer", "days": 10**30},
    {"role": "reviewer", "days": "7"},
    {"role": "reviewer", "round": "../x"},
    {"role": "reviewer", "round": ""},
    {"role": "reviewer", "note": "a\nb"},
    {"role": "reviewer", "note": "\0"},
    {"role": "reviewer", "note": "x" * 201},
    {"role": "reviewer", "note": f"is {tokens.PREFIX}{'A' * 43}"},
    {"role": "reviewer", "sha256": "0" * 64},
    {"role": "reviewer", "created_by": 1},
]


@pytest.mark.parametrize("wanted", WRONG)
def test_a_token_that_can_not_be(site: Site, wanted: dict[str, object]) -> None:
    """None is issued, and nothing of it is in the log."""
    site.team("Blue")
    token = site.token("organiser")
    answer = asked(site, token, "POST", "/tokens", wanted)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(asked(site, token, "GET", "/tokens").json()["tokens"]) == 1
    assert asked(site, token, "GET", "/audit").json()["entries"] == []


def test_a_team_that_is_not_there(site: Site) -> None:
    """It is not made on the way."""
    token = site.token("organiser")

    answer = asked(site, token, "POST", "/tokens", {"role": "author", "team": "Blue"})

    assert answer.status_code == 404
    assert asked(site, token, "GET", "/teams").json()["teams"] == []


@pytest.mark.parametrize("days", ["", "-1", "x", "٣", "1e3", "9" * 400, "0"])
def test_days_on_the_page(site: Site, days: str) -> None:
    """A number, or a page that says so."""
    browser = site.sign_in(site.token("organiser"))

    assert sent(browser, "/tokens", role="reviewer", days=days).status_code == 422


NAMES = [
    "",
    " ",
    "<script>alert(1)</script>",
    "a\nb",
    "x" * 61,
    "Ünder",
    ".x",
    "a ",
    "a\0",
    "'; --",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_team_has(site: Site, name: str) -> None:
    """By neither way."""
    token = site.token("organiser")
    browser = site.sign_in(token)

    assert asked(site, token, "POST", "/teams", {"name": name}).status_code == 422
    if name.strip() == name:
        answer = sent(browser, "/teams", name=name)
        assert answer.status_code == 422
        assert "<script>" not in answer.text
    assert asked(site, token, "GET", "/teams").json()["teams"] == []


def test_a_team_is_made_once(site: Site) -> None:
    """Two requests at once have one winner: the database decides."""
    token = site.token("organiser")
    codes = [asked(site, token, "POST", "/teams", {"name": "Blue"}).status_code for _ in range(2)]

    assert codes == [201, 409]


def test_what_is_long_comes_in_pages(make_site: Callable[..., Site]) -> None:
    """All of it once."""
    site = make_site(limits=Limits(rate=0, page_size=2))
    token = site.token("organiser")
    for name in "abcde":
        asked(site, token, "POST", "/teams", {"name": name})
        asked(site, token, "POST", "/tokens", {"role": "author", "team": name})

    def all_of(path: str, parameter: str, key: str, of: str) -> list[object]:
        found, query = [], ""
        while True:
            answer = asked(site, token, "GET", f"{path}{query}").json()
            assert len(answer[key]) <= 2
            found += [each[of] for each in answer[key]]
            if answer["next"] is None:
                return found
            query = f"?{parameter}={answer['next']}"

    assert all_of("/teams", "after", "teams", "name") == list("abcde")
    assert all_of("/tokens", "before", "tokens", "id") == [6, 5, 4, 3, 2, 1]
    assert all_of("/audit", "before", "entries", "id") == list(range(10, 0, -1))
    pages, path, browser = [], "/administration", site.sign_in(token)
    while path:
        text = browser.get(path).text
        pages += re.findall(r"tokens/(\d+)/revoke", text)
        path = next(iter(re.findall(r'href="(/administration\?before=\d+)"', text)), "")
    assert pages == ["6", "5", "4", "3", "2", "1"]


def test_a_note_is_shown_as_text(site: Site) -> None:
    """Whatever an organiser writes runs in no other organiser's browser."""
    token = site.token("organiser")
    note = "<img src=x onerror=alert(1)>\"'"
    asked(site, token, "POST", "/tokens", {"role": "reviewer", "note": note})
    text = site.sign_in(token).get("/administration").text

    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_revoking_ones_own_token_signs_out(site: Site) -> None:
    """At once."""
    token = site.token("organiser")
    browser = site.sign_in(token)
    sent(browser, f"/tokens/{site.number(token)}/revoke")

    assert browser.get("/administration").status_code == 401
