"""What is refused before anything of it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from seedlock.leaderboard.configuration import Limits
from seedlock.leaderboard.entrance import Entrance, limit_of
from seedlock.leaderboard.rate_limits import KEPT, Buckets, key_of
from tests.leaderboard.conftest import Site, bearer


@pytest.mark.parametrize(
    "host",
    ["evil.example", "", "testserver.evil.example", "testserver:81", "user@testserver",
     "testserver/api/", "testserver, evil.example"],
)  # fmt: skip
def test_another_host_is_not_answered(site: Site, host: str) -> None:
    """No link, cookie or cache can be made for a name that is not ours."""
    answer = site.client.get("/sign-in", headers={"Host": host})

    assert answer.status_code == 421
    assert "seedlock_form" not in answer.cookies


@pytest.mark.parametrize("host", ["testserver", "TestServer", "testserver:80"])
def test_our_host_is(site: Site, host: str) -> None:
    """In each of its spellings."""
    assert site.client.get("/sign-in", headers={"Host": host}).status_code == 200


def test_a_body_that_says_it_is_large(site: Site) -> None:
    """Is not read at all."""
    headers = {**bearer(site.token("organiser")), "Content-Length": str(10**12)}
    answer = site.client.post("/api/v1/teams", headers=headers, content=b"{}")

    assert answer.status_code == 413
    assert answer.json()["allowed"] == "1048576 bytes"


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣", "1" * 30, "+5"])
def test_a_length_that_is_none(site: Site, length: str) -> None:
    """Is refused, not guessed at."""
    headers = [(b"Content-Length", length.encode())]

    assert site.client.post("/api/v1/teams", headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/teams", "/sign-in"])
def test_a_body_in_chunks_is_counted(site: Site, path: str) -> None:
    """It says no length, and is read no further than the limit."""
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        for _ in range(200):
            read += 1
            yield b"x" * 65536

    kind = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
    headers = {"Content-Type": kind, **bearer(site.token("organiser"))}
    answer = site.client.post(path, content=chunks(), headers=headers)

    assert answer.status_code == 413, answer.text


async def asked(site: Site, messages: list[dict[str, Any]], patience: float) -> tuple[int, int]:
    """Send parts of a body and then nothing; return the status and how many were taken."""
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken == len(messages):
            await asyncio.Event().wait()
        taken += 1
        return messages[taken - 1]

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    token = site.token("organiser")
    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/teams", "raw_path": b"/api/v1/teams",
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("testserver", 80),
        "client": ("198.51.100.7", 1), "http_version": "1.1", "app": site.app, "state": {},
        "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode()),
                    (b"content-type", b"application/json")],
    }  # fmt: skip
    await Entrance(site.app, site.configuration, patience)(scope, receive, send)
    return sent[0]["status"], taken


def test_no_more_is_taken_than_the_limit(site: Site) -> None:
    """The rest stays outside."""
    part = {"type": "http.request", "body": b"x" * 300_000, "more_body": True}

    assert asyncio.run(asked(site, [part] * 50, 60)) == (413, 4)


def test_who_is_silent_is_not_waited_for(site: Site) -> None:
    """A connection that sends one byte and then nothing holds nothing for long."""
    part = {"type": "http.request", "body": b"{", "more_body": True}

    assert asyncio.run(asked(site, [part], 0.05)) == (408, 1)


def test_what_is_large_has_its_routes() -> None:
    """Archives of submissions, published files and records; no other way of writing it."""
    limits = Limits(upload=10**9, published=10**8, body=10)

    assert limit_of(limits, "POST", "/api/v1/rounds/a/submissions") > 10**9
    assert 10**8 < limit_of(limits, "PUT", "/api/v1/rounds/a/files/ledger.jsonl") < 10**9
    assert 10**8 < limit_of(limits, "PUT", "/api/v1/rounds/a/records/b/0-1.json") < 10**9
    for method, path in (
        ("PUT", "/api/v1/rounds/a/submissions"),
        ("POST", "/api/v1/rounds/a/b/submissions"),
        ("POST", "/api/v1/rounds/a/submissions\n"),
        ("POST", "/api/v1/rounds/a/files/x"),
        ("POST", "/sign-in"),
    ):
        assert limit_of(limits, method, path) == 10, path


def test_who_asks_too_often_waits(make_site: Callable[..., Site]) -> None:
    """And is told how long."""
    site = make_site(limits=Limits(rate=2, burst=3))
    seen = [site.client.get("/sign-in").status_code for _ in range(4)]
    refused = site.client.get("/api/v1/me")
    site.clock.pass_by(0.5)
    later = [site.client.get("/sign-in").status_code for _ in range(2)]

    assert seen == [200, 200, 200, 429]
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["status"] == 429
    assert later == [200, 429]


def test_a_token_counts_wherever_it_comes_from(make_site: Callable[..., Site]) -> None:
    """Many machines with one token are one visitor."""
    site = make_site(limits=Limits(rate=1, burst=3))
    headers = bearer(site.token("reviewer"))
    seen = []
    for number in range(4):
        client = site.new_client(headers=headers, client=(f"198.51.100.{number}", 1))
        seen.append(client.get("/api/v1/me").status_code)

    assert seen == [200, 200, 200, 429]


def test_a_clock_that_jumps_back_locks_nobody_out() -> None:
    """Nor does one that jumps ahead give more than a bucket."""
    moment = 1000.0
    buckets = Buckets(1, 2, lambda: moment)
    seen = [buckets.take("a") for _ in range(3)]
    moment = 0.0
    seen.append(buckets.take("a"))
    moment = 1.0
    seen.append(buckets.take("a"))
    moment = 1e9
    seen += [buckets.take("a") for _ in range(3)]

    assert [each == 0 for each in seen] == [True, True, False, False, True, True, True, False]


def test_memory_does_not_grow_with_addresses() -> None:
    """However many there are."""
    buckets = Buckets(1, 1, lambda: 0.0)
    for number in range(KEPT + 100):
        buckets.take(str(number))

    assert len(buckets._held) == KEPT
    assert buckets.take(str(KEPT + 99)) > 0


def test_a_customers_network_is_one_address() -> None:
    """IPv6 gives everybody 2**64 of them."""
    assert key_of("2001:db8::1") == key_of("2001:db8::ffff:1:2") == "2001:db8::/64"
    assert key_of("2001:db8:0:1::1") != key_of("2001:db8::1")
    assert key_of("::ffff:198.51.100.7") == key_of("198.51.100.7")
    assert key_of("fe80::1%eth0") == "fe80::/64"
    assert key_of("no:address") == "no:address"
