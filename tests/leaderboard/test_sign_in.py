"""Signing in with a token, and out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from seedlock.leaderboard import tokens
from seedlock.leaderboard.configuration import Limits
from seedlock.leaderboard.tables import Session, Token
from tests.leaderboard.conftest import Site, bearer, csrf

SESSION = "seedlock_session"


def test_a_token_signs_in(site: Site) -> None:
    """One is led to one's account, which knows role and team."""
    browser = site.sign_in(site.token("author", "Blue"))
    account = browser.get("/account")

    assert account.status_code == 200
    assert "Blue" in account.text and "author" in account.text


def test_nobody_has_no_account(site: Site) -> None:
    """Who is not signed in is asked to."""
    answer = site.client.get("/account")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_the_cookie_is_for_this_server_only(make_site: Callable[..., Site]) -> None:
    """No script reads it, no other site makes a browser send it, and with https no plain request
    carries it and no neighbour below the domain can set it."""
    site = make_site(url="https://board.example.org")
    browser = site.new_client()
    token = site.token("organiser")
    page = browser.get("/sign-in")
    answer = browser.post("/sign-in", data={"token": token, "csrf": csrf(page)})

    for sent in (page.headers["set-cookie"], answer.headers["set-cookie"]):
        parts = {each.strip().lower() for each in sent.split(";")[1:]}
        assert parts == {"httponly", "samesite=strict", "secure", "path=/"}
        assert sent.startswith("__Host-seedlock_")


def test_a_session_is_hashed_at_rest(site: Site) -> None:
    """Who reads the database can neither sign in nor use a token."""
    token = site.token("organiser")
    secret = site.sign_in(token).cookies[SESSION]
    with site.database.read() as connection:
        kept = [str(row) for row in connection.execute(select(Session.__table__))]
        kept += [str(row) for row in connection.execute(select(Token.__table__))]

    assert len(kept) == 2
    assert not any(secret in row or token in row for row in kept)


def test_a_session_given_before_is_not_taken(site: Site) -> None:
    """Session fixation: what the browser had before signing in is nobody's session after it."""
    planted = "A" * 43
    victim = site.new_client()
    victim.cookies.set(SESSION, planted, domain="testserver.local", path="/")
    page = victim.get("/sign-in")
    fields = {"token": site.token("organiser"), "csrf": csrf(page)}
    answer = victim.post("/sign-in", data=fields)
    fresh = answer.cookies[SESSION]

    assert answer.status_code == 303
    assert fresh != planted
    assert site.new_client(cookies={SESSION: planted}).get("/account").status_code == 303
    assert site.new_client(cookies={SESSION: fresh}).get("/account").status_code == 200


def test_the_session_before_ends(site: Site) -> None:
    """Signing in again leaves no second way in."""
    browser = site.sign_in(site.token("author", "Blue"))
    before = browser.cookies[SESSION]
    page = browser.get("/account")
    fields = {"token": site.token("author", "Red"), "csrf": csrf(page)}
    answer = browser.post("/sign-in", data=fields)

    assert answer.status_code == 303
    assert "Red" in browser.get("/account").text
    assert site.new_client(cookies={SESSION: before}).get("/account").status_code == 303


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_ended_takes_its_sessions_along(site: Site, how: str) -> None:
    """At once, on the pages and in the interface."""
    token = site.token("organiser", days=1)
    browser = site.sign_in(token)
    before = browser.get("/account").status_code
    if how == "revoked":
        site.revoke(token)
    else:
        site.clock.pass_by(86_400)

    assert before == 200
    assert browser.get("/account").status_code == 303
    assert browser.get("/administration").status_code == 401
    assert site.client.get("/api/v1/me", headers=bearer(token)).status_code == 401


def test_a_session_ends_by_itself(site: Site) -> None:
    """After twelve hours, though its token is good."""
    token = site.token("organiser")
    browser = site.sign_in(token)
    site.clock.pass_by(site.configuration.limits.session_seconds - 1)
    before = browser.get("/account").status_code
    site.clock.pass_by(1)

    assert before == 200
    assert browser.get("/account").status_code == 303
    assert site.client.get("/api/v1/me", headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("path", ["/sign-out", "/account/sign-out-everywhere"])
def test_signing_out(site: Site, path: str) -> None:
    """The cookie is worth nothing afterwards, wherever a copy of it lies."""
    token = site.token("author", "Blue")
    browser = site.sign_in(token)
    other = site.sign_in(token)
    copy = browser.cookies[SESSION]
    answer = browser.post(path, data={"csrf": csrf(browser.get("/account"))})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert site.new_client(cookies={SESSION: copy}).get("/account").status_code == 303
    assert other.get("/account").status_code == (200 if path == "/sign-out" else 303)


@pytest.mark.parametrize("given", ["", "slk_", tokens.PREFIX + "A" * 43, "' OR 1=1 --", "\0", "é"])
def test_a_wrong_token_signs_nobody_in(site: Site, given: str) -> None:
    """It is not repeated on the page either."""
    page = site.client.get("/sign-in")
    answer = site.client.post("/sign-in", data={"token": given, "csrf": csrf(page)})

    assert answer.status_code == 403
    assert "unknown, expired or revoked" in answer.text
    assert SESSION not in answer.cookies
    assert len(given) < 5 or given not in answer.text


def test_trying_many_tokens_is_slow(make_site: Callable[..., Site]) -> None:
    """From one address; a while later it goes on."""
    site = make_site(limits=Limits(sign_in_rate=0.1, sign_in_burst=3))
    fields = {"token": "wrong", "csrf": csrf(site.client.get("/sign-in"))}
    seen = [site.client.post("/sign-in", data=fields) for _ in range(4)]
    site.clock.pass_by(10)
    later = site.client.post("/sign-in", data=fields)

    assert [each.status_code for each in seen] == [403, 403, 403, 429]
    assert seen[3].headers["retry-after"] == "10"
    assert later.status_code == 403


def test_signing_in_leads_nowhere_else(site: Site) -> None:
    """No parameter is an address to go on to."""
    token = site.token("organiser")
    for name in ("next", "url", "to", "return"):
        page = site.client.get(f"/sign-in?{name}=https://evil.example/")
        fields = {"token": token, "csrf": csrf(page), name: "https://evil.example/"}
        answer = site.client.post(f"/sign-in?{name}=//evil.example", data=fields)

        assert answer.headers["location"] == "/account"
        assert "evil" not in page.text
        site.client.cookies.clear()


def test_a_cookie_opens_no_door_of_the_interface(site: Site) -> None:
    """So that no other site can make a browser use it, and a token opens none of the pages."""
    token = site.token("organiser")
    browser = site.sign_in(token)

    assert browser.get("/api/v1/me").status_code == 401
    assert browser.post("/api/v1/teams", json={"name": "Blue"}).status_code == 401
    assert site.new_client(headers=bearer(token)).get("/administration").status_code == 401
