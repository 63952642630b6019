"""The attacks that the server is made for, each against the real application.

A row says what must come. After each of them nothing has changed: no file of a round, no
submission, no team, no token; no answer holds a secret or has a header less; and none is a 500.
Signatures that are replayed have their rows in api/test_signed_records.py.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import func, select
from starlette.testclient import TestClient

from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard.configuration import Limits
from seedlock.leaderboard.tables import Image, Replay, SignedRecord, Submission, Team, Token
from tests.leaderboard import hostile
from tests.leaderboard.attacked import DONE, HIDDEN, OPEN, World, api
from tests.leaderboard.conftest import Site, bearer, csrf

EVIL = "https://evil.example"

SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Attack:
    """A row.

    Attributes:
        name: what is tried.
        must: statuses of HTTP that the answers may have.
        tried: does it; returns the answers.
    """

    name: str
    must: tuple[int, ...]
    tried: Callable[[World], Response | list[Response]]


ATTACKS: list[Attack] = []


def row(name: str, *must: int) -> Callable[[Any], Any]:
    """Add a row to the table."""

    def add(tried: Callable[[World], Response | list[Response]]) -> Any:
        ATTACKS.append(Attack(name, must, tried))
        return tried

    return add


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with something to attack."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


# Other people's things.


@row("somebody else's private archive, by its number", 401, 404)
def _(world: World) -> list[Response]:
    number = str(world.numbers[OPEN, "theirs"])
    return [
        world.ask("GET", "rounds", OPEN, "uploads", number, "archive", token=token)
        for token in (world.ours, world.ours_elsewhere, world.elsewhere, world.revoked)
    ]


@row("somebody else's private archive, by all numbers there could be", 404, 422)
def _(world: World) -> list[Response]:
    mine = {number for (_, name), number in world.numbers.items() if name == "ours"}
    return [
        world.ask("GET", "rounds", name, "uploads", str(number), "archive", token=world.ours)
        for number in {*range(-1, 20)} - mine
        for name in (OPEN, HIDDEN)
    ]


@row("somebody else's private archive, by its name, digest or file", 403, 404, 422)
def _(world: World) -> list[Response]:
    digest = world.digests["theirs"]
    file = hashlib.sha256(world.archives["theirs"]).hexdigest()
    return [
        world.ask("GET", "rounds", OPEN, "uploads", each, "archive", token=world.ours)
        for each in ("theirs", digest, digest[7:], file)
    ] + [
        world.client.get(path)
        for path in (f"/files/{file[:2]}/{file}", f"/static/../files/{file[:2]}/{file}")
    ]


@row("an archive without a token", 401, 404)
def _(world: World) -> list[Response]:
    return [
        world.ask("GET", "rounds", OPEN, "uploads", str(number), "archive")
        for number in world.numbers.values()
    ]


@row("the list of what others handed in", 200)
def _(world: World) -> Response:
    answer = world.ask("GET", "rounds", OPEN, "submissions", token=world.ours)
    assert "ours" in answer.text and "theirs" not in answer.text
    assert world.digests["theirs"] not in answer.text
    return answer


@row("somebody else's upload, withdrawn", 403, 404)
def _(world: World) -> list[Response]:
    number = str(world.numbers[OPEN, "theirs"])
    return [
        world.ask("DELETE", "rounds", OPEN, "uploads", number, token=world.ours),
        world.ask("DELETE", "rounds", DONE, "uploads", number, token=world.ours),
    ]


@row("a name that is another team's", 403, 409, 422)
def _(world: World) -> Response:
    return world.hand_in(OPEN, world.archives["theirs"], world.ours)


@row("a private submission's record, after the reveal, by its path", 401, 403, 404)
def _(world: World) -> list[Response]:
    parts = ("rounds", DONE, "records", "theirs", "0-1.json")
    return [world.ask("GET", *parts), world.ask("GET", *parts, token=world.ours)]


@row("records that hold hidden seeds, before the reveal, one's own too", 401, 403, 404)
def _(world: World) -> list[Response]:
    return [
        world.ask("GET", "rounds", HIDDEN, "records", name, "0-1.json", token=token)
        for name in ("ours", "theirs")
        for token in (None, world.ours, world.theirs, world.reviewer, world.elsewhere)
    ]


@row("the round's secret and the records, as if they were published files", 400, 403, 404, 422)
def _(world: World) -> list[Response]:
    names = ("private/secret.json", "private%2Fsecret.json", "secret.json", "standings.json/..",
             "runs/theirs/0-1.json", "runs%2Ftheirs%2F0-1.json", "..%2F..%2Fboard.db", "board.db",
             "%2e%2e%2f%2e%2e%2fboard.db", "opening.json%00.txt", ".opening.json.tmp")  # fmt: skip
    return [
        world.client.get(api("rounds", HIDDEN, "files", name), headers=headers)
        for name in names
        for headers in ({}, bearer(world.ours))
    ]


@row("what a public page says of a private submission", 200)
def _(world: World) -> list[Response]:
    answers = [
        world.client.get(f"/rounds/{DONE}/submissions/theirs"),
        world.client.get(f"/rounds/{DONE}/compare?a=ours&b=theirs"),
        world.client.get(f"/rounds/{DONE}"),
        world.ask("GET", "rounds", DONE, "board"),
        world.ask("GET", "rounds", DONE, "submissions", "theirs"),
    ]
    for answer in answers:
        assert "runs/theirs" not in answer.text and "Theirs" not in answer.text, answer.url
    return answers


@row("hidden seeds, anywhere before the reveal", 200)
def _(world: World) -> list[Response]:
    return [
        world.client.get(path)
        for path in (
            f"/rounds/{HIDDEN}", f"/rounds/{HIDDEN}/ceremony", f"/rounds/{HIDDEN}/submissions/ours",
            f"/rounds/{HIDDEN}/ledger", api("rounds", HIDDEN), api("rounds", HIDDEN, "board"),
            api("rounds", HIDDEN, "submissions", "ours"), api("rounds", HIDDEN, "ceremony"),
            api("rounds", HIDDEN, "ledger"), api("rounds", HIDDEN, "files", "draw.json"),
            api("rounds", HIDDEN, "files", "ledger.jsonl"),
        )
    ]  # fmt: skip


# Tokens.


@row("tokens that are expired, revoked, made up or cut", 401)
def _(world: World) -> list[Response]:
    tokens = (world.expired, world.revoked, "slk_" + "A" * 43, world.organiser[:-1], "slk_",
              world.organiser + "A", world.organiser.swapcase(), "null", "' OR 1=1 --")  # fmt: skip
    return [
        world.ask(method, *parts, token=each)
        for each in tokens
        for method, *parts in (("GET", "me"), ("GET", "tokens"), ("GET", "audit"))
    ]


@row("a token in another scheme, twice, or where it does not belong", 400, 401)
def _(world: World) -> list[Response]:
    token = world.organiser
    return [
        world.client.get(api("me"), headers={"Authorization": f"Basic {token}"}),
        world.client.get(api("me"), headers={"Authorization": token}),
        world.client.get(api("me"), headers={"Authorization": f"Bearer {token}, {token}"}),
        world.client.get(api("me"), headers={"Authorization": f"Bearer {token} {token}"}),
        world.client.get(api("me"), params={"token": token, "access_token": token}),
        world.client.get(api("me"), headers={"Cookie": f"seedlock_session={token}"}),
    ]


@row("the interface by a session's cookie", 401, 403)
def _(world: World) -> list[Response]:
    browser = world.browser(world.organiser)
    return [
        browser.get(api("me")),
        browser.post(api("teams"), json={"name": "Mallory"}),
        browser.put(api("rounds", OPEN, "files", "freeze.json"), content=b"{}"),
    ]


@row("signing in with a token that is no longer good", 401, 403, 422)
def _(world: World) -> list[Response]:
    browser = world.site.new_client()
    return [
        browser.post("/sign-in", data={"token": each, "csrf": csrf(browser.get("/sign-in"))})
        for each in (world.expired, world.revoked, "", "slk_", "x" * 5000)
    ]


@row("a session after its token was revoked", 401, 403, 303)
def _(world: World) -> list[Response]:
    token = world.site.token("organiser")
    browser = world.browser(token)
    assert browser.get("/administration").status_code == 200
    sent = {"name": "Mallory", "csrf": csrf(browser.get("/administration"))}
    world.site.revoke(token)
    _forget(world, token)
    return [browser.get("/administration"), browser.post("/administration/teams", data=sent)]


@row("a token for one round, in another", 401, 403, 404)
def _(world: World) -> list[Response]:
    return [
        world.ask("PUT", "rounds", HIDDEN, "files", "reveal.json", token=world.elsewhere,
                  content=_reveal(world)),
        world.ask("PUT", "rounds", "new-2026", "files", "opening.json", token=world.elsewhere,
                  content=b"{}"),
        world.hand_in(OPEN, world.archives["ours"], world.ours_elsewhere),
        world.ask("GET", "rounds", OPEN, "submissions", token=world.ours_elsewhere),
    ]  # fmt: skip


@row("a token for one round, that would rule the server", 401, 403)
def _(world: World) -> list[Response]:
    return [
        world.ask("POST", "teams", token=world.elsewhere, json={"name": "Mallory"}),
        world.ask("POST", "tokens", token=world.elsewhere, json={"role": "organiser", "days": 1}),
        world.ask("GET", "tokens", token=world.elsewhere),
        world.ask("GET", "audit", token=world.elsewhere),
    ]


@row("authors and reviewers where only organisers may", 401, 403)
def _(world: World) -> list[Response]:
    answers = []
    for token in (world.ours, world.reviewer, None):
        answers += [
            world.ask("POST", "teams", token=token, json={"name": "Mallory"}),
            world.ask("POST", "tokens", token=token, json={"role": "organiser", "days": 1}),
            world.ask("DELETE", "tokens", "1", token=token),
            world.ask("GET", "tokens", token=token),
            world.ask("GET", "audit", token=token),
            world.ask("PUT", "rounds", HIDDEN, "files", "reveal.json", token=token,
                      content=_reveal(world)),
        ]  # fmt: skip
    return answers


@row("a reviewer who hands in", 401, 403)
def _(world: World) -> Response:
    return world.hand_in(OPEN, world.archives["ours"], world.reviewer)


@row("after the deadline", 403, 409, 410, 422)
def _(world: World) -> list[Response]:
    number = str(world.numbers[HIDDEN, "ours"])
    return [
        world.hand_in(HIDDEN, world.archives["ours"], world.ours),
        world.ask("DELETE", "rounds", HIDDEN, "uploads", number, token=world.ours),
    ]


# Forms of other sites.


def _send(browser: TestClient, **data: str) -> Response:
    answer: Response = browser.post("/administration/teams", data={"name": "Mallory", **data})
    return answer


@row("a form without its hidden field, with a wrong one, with another session's", 403)
def _(world: World) -> list[Response]:
    mine, other = world.browser(world.organiser), world.browser(world.organiser)
    others = csrf(other.get("/administration"))
    signed_out = csrf(world.site.new_client().get("/sign-in"))
    wrong = ["", "0" * 64, others, others.upper(), signed_out, "x" * 60_000, "ä"]
    return [_send(mine), *(_send(mine, csrf=each) for each in wrong)]


@row("a form that a page of another site sends, hidden field and all", 403)
def _(world: World) -> list[Response]:
    browser = world.browser(world.organiser)
    data = {"name": "Mallory", "csrf": csrf(browser.get("/administration"))}
    headers = [{"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
               {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://testserver"},
               {"Origin": "http://testserver.evil.example"}]  # fmt: skip
    return [browser.post("/administration/teams", data=data, headers=each) for each in headers]


@row("a form as text or JSON, as another site could send it without being asked", 403)
def _(world: World) -> list[Response]:
    browser = world.browser(world.organiser)
    field = csrf(browser.get("/administration"))
    kinds = ("text/plain", "application/json", "")
    return [
        browser.post(
            "/administration/teams", content=f'{{"name": "Mallory", "csrf": "{field}"}}',
            headers={"Content-Type": kind},
        )
        for kind in kinds
    ]  # fmt: skip


@row("signing somebody in as somebody else, from another site", 403)
def _(world: World) -> list[Response]:
    browser = world.site.new_client()
    field = csrf(browser.get("/sign-in"))
    data = {"token": world.ours}
    return [
        browser.post("/sign-in", data=data),
        browser.post("/sign-in", data={**data, "csrf": field}, headers={"Origin": EVIL}),
        world.site.new_client().post("/sign-in", data={**data, "csrf": field}),
    ]


@row("signing out, and other changes, by a link", 404, 405)
def _(world: World) -> list[Response]:
    browser = world.browser(world.organiser)
    paths = ("/sign-out", "/administration/teams", "/administration/tokens",
             "/administration/teams?name=Mallory")  # fmt: skip
    answers = [browser.get(path) for path in paths]
    assert browser.get("/account").status_code == 200
    return answers


@row("the hidden field in the address", 403)
def _(world: World) -> Response:
    browser = world.browser(world.organiser)
    field = csrf(browser.get("/administration"))
    path = f"/administration/teams?csrf={field}"
    answer: Response = browser.post(path, data={"name": "Mallory"})
    return answer


# Paths and names.


@row("paths that lead out, in addresses", 400, 404, 405, 422)
def _(world: World) -> list[Response]:
    dots = ("%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2fboard.db", "%00",
            "..%5c..%5cboard.db", "%c0%ae%c0%ae", "%252e%252e", "~root", "/etc/passwd")  # fmt: skip
    return [
        world.client.get(pattern.format(each), headers=headers)
        for each in dots
        for pattern in ("/static/{}", "/rounds/{}/x", "/rounds/{}/ledger",
                        f"/rounds/{DONE}/submissions/{{}}/x",
                        "/api/v1/rounds/{}/board", f"/api/v1/rounds/{DONE}/records/{{}}/0-1.json",
                        f"/api/v1/rounds/{DONE}/records/ours/{{}}")
        for headers in ({}, bearer(world.organiser))
    ]  # fmt: skip


@row("paths that lead out, to publish to", 400, 404, 405, 409, 422)
def _(world: World) -> list[Response]:
    raw = b"evil"
    paths = (
        f"rounds/{OPEN}/files/..%2F..%2Fevil", f"rounds/{OPEN}/files/evil.json",
        f"rounds/{OPEN}/files/standings.json", f"rounds/{OPEN}/files/private%2Fsecret.json",
        f"rounds/{DONE}/records/..%2F..%2F/0-1.json", f"rounds/{DONE}/records/ours/..%2Fevil",
        f"rounds/{DONE}/records/ours/0-1.json%00", "rounds/..%2F..%2Fevil/files/opening.json",
        "rounds/%2E%2E/files/opening.json", f"rounds/{DONE}/records/nobody/0-1.json",
    )  # fmt: skip
    return [
        world.client.put(f"/api/v1/{each}", content=raw, headers=bearer(world.organiser))
        for each in paths
    ]


@row("published files, replaced or out of order", 400, 409, 422)
def _(world: World) -> list[Response]:
    there = world.folder / DONE
    opening = (there / "opening.json").read_bytes()
    ledger = (there / "ledger.jsonl").read_bytes()
    files = {
        "opening.json": opening.replace(b"seedlock", b"seedlocc"), "policy.toml": b"x = 1",
        "freeze.json": b"{}", "ledger.jsonl": b"", "reveal.json": b"[]",
    }  # fmt: skip
    answers = [
        world.ask("PUT", "rounds", DONE, "files", name, content=raw, token=world.organiser)
        for name, raw in files.items()
    ]
    shorter = b"".join(ledger.splitlines(keepends=True)[:-1])
    return [
        *answers,
        world.ask("PUT", "rounds", DONE, "files", "ledger.jsonl", content=shorter,
                  token=world.organiser),
        world.ask("PUT", "rounds", OPEN, "files", "draw.json", token=world.organiser,
                  content=(there / "draw.json").read_bytes()),
        world.ask("PUT", "rounds", OPEN, "files", "freeze.json", token=world.organiser,
                  content=(there / "freeze.json").read_bytes()),
        world.ask("PUT", "rounds", DONE, "records", "ours", "0-1.json", content=b"{}",
                  token=world.organiser),
    ]  # fmt: skip


# Archives.


@row("archives with links, devices, pipes and names that lead out", 400, 422)
def _(world: World) -> list[Response]:
    good = (hostile.member("source/submission.toml"), hostile.TOML)
    kinds = [
        hostile.member("source/../../evil"), hostile.member("/etc/evil"),
        hostile.member("source/a", tarfile.SYMTYPE, "/etc/passwd"),
        hostile.member("source/a", tarfile.LNKTYPE, "../../board.db"),
        hostile.member("source/a", tarfile.CHRTYPE), hostile.member("source/a", tarfile.FIFOTYPE),
        hostile.member("source/a", tarfile.DIRTYPE), hostile.member("source/\0evil"),
    ]  # fmt: skip
    raw = [hostile.tar(good, (each, b"")) for each in kinds]
    for name in ("../../evil", "/etc/evil", "a/../../../evil", "a\\\\..\\\\evil", "./evil", "a//b"):
        written = f'"source/{name}"'.encode()
        raw.append(
            hostile.edited_list(lambda text, to=written: text.replace(b'"source/train.py"', to))
        )
    return [world.hand_in(OPEN, each, world.ours) for each in raw]


@row("archives that unpack to more than they may: size, number, nesting", 400, 413, 422)
def _(world: World) -> list[Response]:
    bombs = [
        hostile.bomb(3 << 30, 1 << 20), hostile.bomb(1 << 20, 256 << 20), hostile.many(12_500),
        hostile.bomb(7 << 30, 0), hostile.nested(20, world.archives["ours"]),
        hostile.written({"manifest.json": b" " * (17 << 20)}),
        hostile.written({"manifest.json": b"{}"}, zeros=64 << 20),
    ]  # fmt: skip
    assert all(len(each) < 1 << 19 for each in bombs)
    return [world.hand_in(OPEN, each, world.ours) for each in bombs]


@row("an upload that is larger than it may be, whatever it says of its length", 400, 411, 413)
def _(world: World) -> list[Response]:
    large = world.archives["ours"] + bytes(2 << 20)
    pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
    return [
        world.hand_in(OPEN, large, world.ours),
        world.hand_in(OPEN, pieces, world.ours),  # type: ignore[arg-type]
    ]


@row("what is no archive, or a changed one", 400, 415, 422)
def _(world: World) -> list[Response]:
    good = world.archives["ours"]
    wrong = [b"", b"PK\x03\x04", b"\x1f\x8b", good[:-1], good[: len(good) // 2], good + b"x",
             good[:200] + b"\0" + good[201:], b"<html>", json.dumps({}).encode()]  # fmt: skip
    return [world.hand_in(OPEN, each, world.ours) for each in wrong]


@row("a digest that is not the archive's", 400, 409, 422)
def _(world: World) -> Response:
    return world.hand_in(
        OPEN, world.archives["ours"], world.ours, params={"digest": world.digests["theirs"]}
    )


# Text that is code elsewhere.


def _pages(world: World) -> list[Response]:
    paths = (
        f"/rounds/{DONE}?filter=", f"/rounds/{DONE}?metric=", f"/rounds/{DONE}?sort=",
        f"/rounds/{DONE}?order=", f"/rounds/{DONE}?page=", f"/rounds/{DONE}/compare?a=",
        f"/rounds/{DONE}/ledger?after=", "/rounds/", f"/rounds/{DONE}/submissions/", "/",
        "/first?code=", "/sign-in?next=",
    )  # fmt: skip
    quoted = "%3Cscript%3Ealert(1)%3C/script%3E%22%27"
    return [world.client.get(path + quoted) for path in paths]


@row("scripts in addresses", 200, 303, 400, 403, 404, 422)
def _(world: World) -> list[Response]:
    answers = _pages(world)
    for answer in answers:
        assert SCRIPT not in answer.text, answer.url
    return answers


@row("SQL in filters, sort keys, names and numbers", 200, 400, 404, 422)
def _(world: World) -> list[Response]:
    texts = ("' OR '1'='1", "1; DROP TABLE tokens; --", "name) UNION SELECT sha256 FROM tokens --",
             "%", "_", "\\", "(SELECT 1)", "tokens.sha256", "1e309", "-1", "9" * 40)  # fmt: skip
    answers = []
    for text in texts:
        for key in ("filter", "sort", "order", "metric", "page"):
            answers += [
                world.client.get(f"/rounds/{DONE}", params={key: text}),
                world.ask("GET", "rounds", DONE, "board", params={key: text}),
            ]
        answers += [
            world.ask("GET", "rounds", DONE, "ledger", params={"after": text}),
            world.ask("GET", "rounds", text),
            world.ask("GET", "rounds", DONE, "submissions", text),
            world.ask("GET", "rounds", DONE, "compare", params={"a": text, "b": "ours"}),
        ]
    return answers


@row("a filter that is all of SQL's wildcards finds no more than its letters", 200)
def _(world: World) -> list[Response]:
    answers = [
        world.ask("GET", "rounds", DONE, "board", params={"filter": each}) for each in ("%", "_")
    ]
    for answer in answers:
        assert '"ours"' not in answer.text, answer.text
    return answers


# Documents.


def _json(world: World, *raw: bytes | str) -> list[Response]:
    return [
        world.ask(
            "POST", part, token=world.organiser, content=each,
            headers={"Content-Type": "application/json"},
        )
        for each in raw
        for part in ("teams", "tokens")
    ]  # fmt: skip


@row("JSON that is too large, too deep, or says a thing twice", 400, 413, 422)
def _(world: World) -> list[Response]:
    return _json(
        world,
        b'{"name": "' + b"x" * (2 << 20) + b'"}',
        b"[" * 100_000, b'{"name":' * 50_000, b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        '{"name": "Mallory", "name": "Mallory2"}',
        '{"role": "reviewer", "days": 1, "role": "organiser"}',
    )  # fmt: skip


@row("JSON of other kinds, and numbers that are none", 400, 415, 422)
def _(world: World) -> list[Response]:
    return _json(
        world, b"", b"null", b"[]", b'"name"', b"\xff\xfe", b'{"name": null}', b'{"name": ["x"]}',
        b'{"name": {"$ne": ""}}', b'{"name": ""}', b'{"name": "\\u0000"}', b'{"name": "\\ud800"}',
        b'{"role": "organiser", "days": NaN}', b'{"role": "organiser", "days": 1e400}',
        b'{"role": "organiser", "days": -1}', b'{"role": "organiser", "days": 100000000000000000}',
        b'{"role": "root", "days": 1}', b'{"role": "author", "days": 1, "team": 999999}',
        b'{"name": "' + b"9" * 5000 + b'", "extra": 1}', b"9" * 5000,
    )  # fmt: skip


@row("published documents that are too deep or say a thing twice", 400, 409, 413, 422)
def _(world: World) -> list[Response]:
    opening = (world.folder / OPEN / "opening.json").read_bytes()
    twice = opening.replace(b'"version": 1', b'"version": 1, "version": 1')
    return [
        world.ask(
            "PUT", "rounds", name, "files", "opening.json", token=world.organiser, content=each
        )
        for name in ("new-2026", OPEN)
        for each in (twice, b"[" * 100_000, b'{"a":' * 100_000, b"NaN", b"\xff", b"")
    ]


# Requests.


@row("other names of the server", 400, 421)
def _(world: World) -> list[Response]:
    hosts = ("evil.example", "testserver.evil.example", "testserver:81", "", "127.0.0.1",
             "testserver@evil.example", "evil.example/testserver")  # fmt: skip
    return [
        world.client.get(path, headers={"Host": each})
        for each in hosts
        for path in ("/", "/sign-in", "/api/v1/rounds")
    ]


@row("headers that claim another name, address or method", 200)
def _(world: World) -> list[Response]:
    headers = {
        "X-Forwarded-Host": "evil.example", "X-Host": "evil.example",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "/administration", "X-Rewrite-URL": "/administration",
        "X-HTTP-Method-Override": "DELETE", "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
    }  # fmt: skip
    answers = [world.client.get(path, headers=headers) for path in ("/", "/sign-in", api("rounds"))]
    for answer in answers:
        assert "evil.example" not in answer.text
    return answers


@row("an answer that leads elsewhere after signing in", 303)
def _(world: World) -> list[Response]:
    answers = []
    for where in (EVIL, "//evil.example", "/\\evil.example", "%0d%0aLocation:%20" + EVIL):
        browser = world.site.new_client()
        data = {"token": world.ours, "csrf": csrf(browser.get(f"/sign-in?next={where}"))}
        for name in ("next", "return_to", "url"):
            data[name] = where
        answers.append(browser.post(f"/sign-in?next={where}", data=data, headers={"Referer": EVIL}))
    for answer in answers:
        assert answer.headers["location"] == "/account"
    return answers


@row("addresses that begin as another site's", 200, 307, 308, 400, 404)
def _(world: World) -> list[Response]:
    paths = ("//evil.example/", "//evil.example/rounds/", "/%2F%2Fevil.example/..", "/rounds/?x=1",
             "/\\evil.example/", "/%0d%0aLocation:%20https://evil.example/")  # fmt: skip
    answers = [world.client.get(f"http://testserver{path}") for path in paths]
    for answer in answers:
        there = answer.headers.get("location", "/")
        assert there.startswith(("/", "http://testserver/")) and not there.startswith("//"), there
    return answers


@row("line ends in what becomes a header", 200, 303, 400, 401, 403, 404, 422)
def _(world: World) -> list[Response]:
    ends = "%0d%0aSet-Cookie:%20seedlock_session=evil%0d%0a%0d%0a<script>"
    paths = (f"/rounds/{ends}", f"/rounds/{DONE}/submissions/{ends}", f"/first?code={ends}",
             f"/rounds/{DONE}?filter={ends}", api("rounds", ends),
             api("rounds", DONE, "files", ends),
             api("rounds", DONE, f"board.csv?metric={ends}"))  # fmt: skip
    answers = [world.client.get(path) for path in paths]
    for answer in answers:
        assert "evil" not in str(answer.headers.get("set-cookie"))
        assert "<script>" not in answer.text
    return answers


@row("methods that a route does not have, and one dressed up as another", 403, 404, 405)
def _(world: World) -> list[Response]:
    browser = world.browser(world.organiser)
    headers = {"X-HTTP-Method-Override": "PUT", **bearer(world.organiser)}
    return [
        world.client.request("TRACE", "/"), world.client.request("CONNECT", "/"),
        world.client.request("EVIL", "/"), world.client.delete("/"), world.client.put("/sign-in"),
        world.ask("DELETE", "rounds", DONE, token=world.organiser),
        world.client.post(
            api("rounds", OPEN, "files", "freeze.json"), headers=headers, content=b"{}"
        ),
        browser.post("/administration/teams?_method=DELETE", data={"_method": "DELETE"}),
    ]  # fmt: skip


def _reveal(world: World) -> bytes:
    return (world.folder / DONE / "reveal.json").read_bytes()


def _forget(world: World, token: str) -> None:
    """Take a token that a row issued out of what is compared."""
    world.forgotten.add(world.site.number(token))


def _state(world: World) -> dict[str, Any]:
    """Return all that an attack could have changed."""
    files = {
        str(path.relative_to(world.site.configuration.folder)): path.read_bytes()
        for part in ("rounds", "files", "tmp")
        for path in (world.site.configuration.folder / part).rglob("*")
        if path.is_file()
    }
    beside = sorted(path.name for path in world.site.configuration.folder.iterdir())
    with world.site.database.read() as connection:
        rows = {
            table.__tablename__: connection.execute(
                select(func.count()).select_from(table)
            ).scalar_one()
            for table in (Submission, Team, SignedRecord, Replay, Image)
        }
        asked = select(Token.id, Token.revoked, Token.role).order_by(Token.id)
        tokens = [
            tuple(each) for each in connection.execute(asked) if each.id not in world.forgotten
        ]
        withdrawn = connection.execute(
            select(func.count()).where(Submission.withdrawn.is_not(None))
        ).scalar_one()
    return {"files": files, "beside": beside, "rows": rows, "tokens": tokens, "gone": withdrawn}


def _secrets(world: World) -> list[str]:
    """Return what no answer of a row may hold."""
    hidden = Round(world.folder / HIDDEN)
    tokens = (world.organiser, world.reviewer, world.ours, world.theirs, world.elsewhere)
    return [
        *tokens, *(hashlib.sha256(each.encode()).hexdigest() for each in tokens),
        *(str(each) for each in hidden.seeds()), "the program of theirs", "Traceback",
        "root:x:0", "SQLite format", "sqlalchemy",
    ]  # fmt: skip


def test_what_others_are_refused_is_there(world: World) -> None:
    """For who may have it: the rows above ask for things that there are, at their addresses."""
    number = str(world.numbers[OPEN, "theirs"])
    mine = world.ask("GET", "rounds", OPEN, "uploads", number, "archive", token=world.theirs)

    assert mine.content == world.archives["theirs"]
    for parts, token in (
        (("rounds", OPEN, "submissions"), world.theirs),
        (("rounds", OPEN, "uploads", number, "archive"), world.organiser),
        (("rounds", OPEN, "uploads", number, "archive"), world.reviewer),
        (("rounds", DONE, "records", "theirs", "0-1.json"), world.theirs),
        (("rounds", DONE, "records", "theirs", "0-1.json"), world.reviewer),
        (("rounds", DONE, "records", "ours", "0-1.json"), None),
        (("rounds", HIDDEN, "records", "theirs", "0-1.json"), world.organiser),
        (("rounds", DONE, "records", "theirs", "0-1.json"), world.elsewhere),
        (("rounds", DONE, "files", "reveal.json"), None),
        (("rounds", DONE, "board"), None),
        (("rounds", DONE, "ledger"), None),
        (("tokens",), world.organiser),
        (("audit",), world.organiser),
        (("teams",), world.organiser),
    ):
        answer = world.ask("GET", *parts, token=token)
        assert answer.status_code == 200, f"{parts}: {answer.text}"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_comes_to_nothing(world: World, attack: Attack) -> None:
    """What must come comes, and nothing has changed."""
    before = _state(world)
    answered = attack.tried(world)
    answers = answered if isinstance(answered, list) else [answered]

    assert answers
    for answer in answers:
        where = f"{answer.request.method} {answer.request.url}"
        assert answer.status_code in attack.must, (
            f"{where}: {answer.status_code} {answer.text[:500]}"
        )
        assert answer.headers["x-content-type-options"] == "nosniff", where
        assert answer.headers["content-security-policy"].startswith("default-src 'none'"), where
        for secret in _secrets(world):
            assert secret not in answer.text, where
    assert _state(world) == before


@pytest.mark.parametrize("label", ["team", "note"])
def test_scripts_in_names_are_text(site: Site, label: str) -> None:
    """On every page that shows them, to whoever looks."""
    organiser = site.token("organiser")
    headers = bearer(organiser)
    name = f"{SCRIPT}<img src=x onerror=alert(1)>\"' javascript:alert(1)"
    if label == "team":
        answer = site.client.post(api("teams"), json={"name": name}, headers=headers)
    else:
        sent = {"role": "reviewer", "days": 1, "note": name}
        answer = site.client.post(api("tokens"), json=sent, headers=headers)
    assert answer.status_code in (201, 422), answer.text
    browser = site.sign_in(organiser)
    for path in ("/", "/administration", "/administration/audit", "/account"):
        text = browser.get(path).text

        assert "<script" not in text and "<img" not in text
    assert answer.status_code == 422 or "&lt;script&gt;" in browser.get("/administration").text


def test_guessing_tokens_is_slowed(tmp_path: Path) -> None:
    """Sign-in takes few wrong tokens of one address, then says when to come again; others of the
    address's requests go on."""
    site = Site(tmp_path / "board", limits=Limits())
    browser = site.new_client()
    field = csrf(browser.get("/sign-in"))
    wrong = {"token": "slk_" + "A" * 43, "csrf": field}
    statuses = [browser.post("/sign-in", data=wrong).status_code for _ in range(30)]
    last = browser.post("/sign-in", data=wrong)

    assert statuses[0] == 403 and 429 in statuses
    assert last.status_code == 429 and int(last.headers["retry-after"]) > 0
    assert browser.get("/").status_code == 200
    site.clock.pass_by(3600)
    assert browser.post("/sign-in", data=wrong).status_code == 403
    site.database.close()


def test_guessing_bearer_tokens_is_slowed(tmp_path: Path) -> None:
    """In the interface as well."""
    site = Site(tmp_path / "board", limits=Limits())
    client = site.new_client()
    headers = bearer("slk_" + "A" * 43)
    statuses = {client.get(api("me"), headers=headers).status_code for _ in range(300)}

    assert statuses == {401, 429}
    site.database.close()
