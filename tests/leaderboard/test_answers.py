"""Errors and headers of answers."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from fastapi import FastAPI

from seedlock.errors import DatabaseUnavailable
from seedlock.leaderboard import tokens
from seedlock.leaderboard.headers import HSTS, SECURITY
from tests.leaderboard.conftest import Site, bearer, csrf

SECRET = "postgresql://board:hunter2@db/board"


def failing(problem: Exception) -> Callable[[], None]:
    """Return a route that fails."""

    def fail() -> None:
        raise problem

    return fail


def breaking(site: Site) -> FastAPI:
    """Return the application with routes that fail."""
    failures = {
        "bug": RuntimeError(SECRET),
        "database": DatabaseUnavailable(SECRET),
        "disk": OSError(28, SECRET),
        "file": PermissionError(13, SECRET),
    }
    for name, problem in failures.items():
        for prefix in ("/api/v1", ""):
            site.app.add_api_route(f"{prefix}/fail/{name}", failing(problem), response_model=None)
    return site.app


@pytest.mark.parametrize(
    ("name", "status"), [("bug", 500), ("database", 503), ("disk", 507), ("file", 500)]
)
def test_nothing_of_the_inside_gets_out(site: Site, name: str, status: int) -> None:
    """Neither tracebacks nor paths nor passwords; the headers are there all the same."""
    breaking(site)
    client = site.new_client(raise_server_exceptions=False)
    for path, kind in ((f"/api/v1/fail/{name}", "application/problem+json"),
                       (f"/fail/{name}", "text/html; charset=utf-8")):  # fmt: skip
        answer = client.get(path)

        assert answer.status_code == status
        assert answer.headers["content-type"] == kind
        assert "hunter2" not in answer.text and "Traceback" not in answer.text
        for header, value in SECURITY.items():
            assert answer.headers[header] == value


def test_head_is_get_without_the_body(site: Site) -> None:
    """RFC 9110, section 9.3.2: pages, the interface, files, errors."""
    for path in ("/", "/sign-in", "/api/v1/rounds", "/static/style.css", "/nothing"):
        whole, head = site.client.get(path), site.client.head(path)

        assert (head.status_code, head.content) == (whole.status_code, b"")
        for name in ("content-type", "content-length", "etag", "content-security-policy"):
            assert head.headers.get(name) == whole.headers.get(name), (path, name)


def test_who_is_signed_in_reads_while_the_disk_is_full(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a token was used last can't be noted then, which keeps nobody from reading."""
    token = site.token("reviewer")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(tokens, "note_use", full)

    assert site.client.get("/api/v1/me", headers=bearer(token)).status_code == 200


def test_each_answer_has_the_headers(site: Site) -> None:
    """Pages, redirections, errors, files and the interface."""
    for path in ("/sign-in", "/account", "/nothing", "/static/style.css", "/static/nothing",
                 "/api/v1/me", "/api/v1/nothing", "/api/v1/openapi.json"):  # fmt: skip
        answer = site.client.get(path)

        assert SECURITY.items() <= {each: answer.headers.get(each) for each in SECURITY}.items()
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers


def test_with_https_no_visit_goes_without(make_site: Callable[..., Site]) -> None:
    """The browser remembers it."""
    site = make_site(url="https://board.example.org")

    assert site.client.get("/sign-in").headers["strict-transport-security"] == HSTS


def test_pages_have_no_script_and_nothing_from_elsewhere(site: Site) -> None:
    """So that the policy can forbid both."""
    browser = site.sign_in(site.token("organiser"))
    for path in ("/sign-in", "/first?code=x", "/account", "/administration",
                 "/administration/audit", "/nothing"):  # fmt: skip
        text = browser.get(path).text

        assert "<script" not in text and " style=" not in text and "<style" not in text
        assert "//" not in text
    assert "default-src 'none'" in SECURITY["Content-Security-Policy"]
    assert "unsafe" not in SECURITY["Content-Security-Policy"]


def test_what_is_somebodys_is_kept_by_no_cache(site: Site) -> None:
    """Pages of who is signed in, answers to tokens, and pages with a cookie of their own."""
    token = site.token("organiser")
    browser = site.sign_in(token)

    assert browser.get("/account").headers["cache-control"] == "no-store"
    assert site.new_client().get("/sign-in").headers["cache-control"] == "no-store"
    answer = site.client.get("/api/v1/me", headers=bearer(token))
    assert answer.headers["cache-control"] == "no-store"


def test_an_error_says_what_given_allowed_and_cure(site: Site) -> None:
    """In the interface as RFC 9457 has it."""
    headers = bearer(site.token("organiser"))
    wrong = site.client.post("/api/v1/tokens", json={"role": "reviewer", "days": 9999},
                             headers=headers)  # fmt: skip
    absent = site.client.get("/api/v1/nothing")

    assert wrong.json() == {
        "type": "about:blank", "title": wrong.json()["title"], "status": 422,
        "detail": "no token lives so many days", "given": "9999", "allowed": "1 to 400",
    }  # fmt: skip
    assert wrong.headers["content-type"] == "application/problem+json"
    assert (absent.status_code, absent.json()["title"]) == (404, "Not Found")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"name": "\\ud800"}', b"null",
                                  b"[" * 100_000, b'{"name":' + b"9" * 10_000 + b"}"])  # fmt: skip
def test_what_is_no_request(site: Site, body: bytes) -> None:
    """Is refused, and what was sent is not repeated."""
    headers = {**bearer(site.token("organiser")), "Content-Type": "application/json"}
    answer = site.client.post("/api/v1/teams", content=body, headers=headers)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 1000


def test_a_secret_in_a_wrong_place_is_not_repeated(site: Site) -> None:
    """As a token where a number belongs."""
    token = site.token("organiser")
    answer = site.client.post("/api/v1/tokens", json={"role": token, "days": token},
                              headers=bearer(token))  # fmt: skip

    assert answer.status_code == 422
    assert token not in answer.text


def test_a_form_that_is_none(site: Site) -> None:
    """Bytes that no browser sends are an error of the sender's, never of the server's."""
    browser = site.sign_in(site.token("organiser"))
    good = csrf(browser.get("/account"))
    for kind, body in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nx"),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\n\r\n--a--"),
        ("application/x-www-form-urlencoded", b"csrf=%ff%fe&" + b"a=b&" * 10_000),
        ("application/x-www-form-urlencoded", b"csrf=" + good.encode() + b"&name=%00"),
        ("text/plain", b"csrf=" + good.encode()),
        ("application/json", b"{}"),
        ("", b"\x00"),
    ):
        headers = {"Content-Type": kind}
        answer = browser.post("/administration/teams", content=body, headers=headers)

        assert 400 <= answer.status_code < 500, (kind, body[:20])


def test_no_slash_is_put_right_with_an_address(site: Site) -> None:
    """A redirection that repeats what was asked for could lead elsewhere."""
    for path in ("/sign-in/", "//evil.example/", "/sign-in//evil.example", "/\\evil.example"):
        answer = site.client.get(f"http://testserver{path}")

        assert answer.status_code == 404, path
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/static/../application.py", "/static/%2e%2e/application.py", "/static/..%2ftables.py",
             "/static//etc/passwd", "/static/%00"],
)  # fmt: skip
def test_static_files_are_those_of_their_folder(site: Site, path: str) -> None:
    """No path leads out."""
    assert site.client.get(path).status_code in (404, 405)


def test_who_is_signed_in_stays_so_where_nothing_is(site: Site) -> None:
    """A wrong address makes nobody a stranger, and an ended session is no error."""
    token = site.token("author", "Blue")
    browser = site.sign_in(token)
    known = browser.get("/nothing")
    site.revoke(token)
    ended = browser.get("/nothing")

    assert known.status_code == ended.status_code == 404
    assert "Account: Blue" in known.text
    assert "Account: Blue" not in ended.text and 'href="/sign-in"' in ended.text
