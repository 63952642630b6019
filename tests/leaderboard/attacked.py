"""A server with something to attack: two teams, three rounds, private submissions, hidden seeds.

`open-2026` takes submissions, `hidden-2026` was trained and its seeds are hidden, `done-2026` is
revealed. In each, team Ours has a public submission `ours` and team Theirs a private one, `theirs`.
"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import archive
from seedlock.leaderboard.configuration import Limits
from tests.leaderboard.conftest import START, Site, bearer
from tests.leaderboard.handing_in import submission
from tests.leaderboard.large_round import METRICS, Shape, make

OPEN, HIDDEN, DONE = "open-2026", "hidden-2026", "done-2026"

DAY = 86400

OPEN_LIMITS = Limits(rate=0, sign_in_rate=0, costly_rate=0, upload=1 << 20, submissions=1000)
"""What is slowed has tests of its own."""


def api(*parts: str) -> str:
    """Return a path of the interface."""
    return "/".join(("/api/v1", *parts))


class World:
    """The server and who comes to it.

    Args:
        folder: for everything.
        where: URL of the database; empty: SQLite.

    Attributes:
        site: the server.
        organiser, reviewer, ours, theirs: tokens.
        expired, revoked: tokens of organisers that are no longer good.
        elsewhere: an organiser's token, for `done-2026` only.
        ours_elsewhere: an author's token of team Ours, for `done-2026` only.
        numbers: of uploads, by round and name.
        archives: bytes that were uploaded, by name.
        digests: of the submissions, by name.
        forgotten: numbers of tokens that tests issue on the way.
    """

    def __init__(self, folder: Path, where: str = "") -> None:
        self.folder = folder
        self.site = Site(folder / "board", where, OPEN_LIMITS)
        self.client = self.site.client
        site = self.site
        self.organiser = site.token("organiser", days=300)
        self.reviewer = site.token("reviewer", days=300)
        self.ours = site.token("author", "Ours", days=300)
        self.theirs = site.token("author", "Theirs", days=300)
        self.elsewhere = site.token("organiser", round_name=DONE, days=300)
        self.ours_elsewhere = site.token("author", "Ours", round_name=DONE, days=300)
        self.expired = site.token("organiser", days=1)
        self.revoked = site.token("organiser", days=300)
        site.revoke(self.revoked)
        self.forgotten: set[int] = set()
        self.archives: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        for name, visibility in (("ours", "public"), ("theirs", "private")):
            self._pack(name, visibility)
        begin = datetime.fromtimestamp(START, timezone.utc)
        shape = Shape(0, 2, HIDDEN, deadline=begin + timedelta(days=10), flawless=True)
        names = {"ours": "public", "theirs": "private"}
        rounds = {}
        for each in (
            replace(shape, revealed=False),
            replace(shape, name=DONE),
            replace(shape, name=OPEN, deadline=begin + timedelta(days=200)),
        ):
            rounds[each.name] = make(folder / each.name, each, self.digests, names)
            self.put(
                each.name, "files", "opening.json", raw=_raw(rounds[each.name], "opening.json")
            )
            for name in names:
                self._upload(each.name, name)
        site.clock.pass_by(30 * DAY)
        for name in (HIDDEN, DONE):
            self._publish(rounds[name])

    def ask(self, method: str, *parts: str, token: str | None = None, **more: Any) -> Response:
        """Ask the interface as a program with a token does."""
        headers = {**(bearer(token) if token else {}), **more.pop("headers", {})}
        answer: Response = self.client.request(method, api(*parts), headers=headers, **more)
        return answer

    def put(self, round_name: str, *parts: str, raw: bytes, token: str | None = None) -> Response:
        """Publish a file as the organiser does."""
        answer = self.ask(
            "PUT", "rounds", round_name, *parts, token=token or self.organiser, content=raw
        )
        assert answer.status_code in (200, 201), answer.text
        return answer

    def hand_in(self, round_name: str, raw: bytes, token: str, **more: Any) -> Response:
        """Upload an archive."""
        headers = {"Content-Type": "application/gzip"}
        return self.ask(
            "POST", "rounds", round_name, "submissions", token=token, content=raw, headers=headers,
            **more,
        )  # fmt: skip

    def browser(self, token: str) -> TestClient:
        """Return a browser that is signed in."""
        return self.site.sign_in(token)

    def _pack(self, name: str, visibility: str) -> None:
        program = f"print('the program of {name}')\n"
        folder = submission(self.folder / name, name, visibility, program, metrics=METRICS)
        into = io.BytesIO()
        self.digests[name] = archive.pack(folder, into).digest
        self.archives[name] = into.getvalue()

    def _upload(self, round_name: str, name: str) -> None:
        answer = self.hand_in(round_name, self.archives[name], getattr(self, name))
        assert answer.status_code == 201, answer.text
        self.numbers[round_name, name] = answer.json()["number"]

    def _publish(self, this: Round) -> None:
        name = this.policy.name
        for step in ("policy.toml", "freeze.json", "draw.json", "ledger.jsonl"):
            self.put(name, "files", step, raw=_raw(this, step))
        for path in sorted(this.folder.glob("runs/*/*.json")):
            self.put(name, "records", path.parent.name, path.name, raw=path.read_bytes())
        if this.has("reveal"):
            self.put(name, "files", "reveal.json", raw=_raw(this, "reveal.json"))

    def close(self) -> None:
        """End the server."""
        self.site.database.close()


def _raw(this: Round, name: str) -> bytes:
    return (this.folder / name).read_bytes()
