"""A server of the leaderboard on a temporary folder, asked without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from seedlock.leaderboard import application, tokens
from seedlock.leaderboard.configuration import Configuration, Limits
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.tables import Team, Token

URL = "http://testserver"

START = 1_790_000_000.0
"""The server's first moment, seconds since 1970."""

CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Clock:
    """The server's time, moved by the test."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        """Let time go on."""
        self.seconds += seconds

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.seconds * 1000)


class Site:
    """A server, its clock and database, and what tests do with them.

    Args:
        folder: the server's.
        where: URL of the database; empty: SQLite in the folder.
        limits: others than the usual.
        url: under which it is reached.
    """

    def __init__(
        self, folder: Path, where: str = "", limits: Limits | None = None, url: str = URL
    ) -> None:
        self.clock = Clock()
        self.configuration = Configuration(folder, url, where, limits=limits or Limits(rate=0))
        self.app: FastAPI = application.create(self.configuration, self.clock)
        self.client = self.new_client()

    @property
    def database(self) -> Database:
        """The server's."""
        found = self.app.state.database
        assert isinstance(found, Database)
        return found

    def new_client(self, **options: Any) -> TestClient:
        """Return another browser or program."""
        return TestClient(
            self.app, base_url=self.configuration.url, follow_redirects=False, **options
        )

    def team(self, name: str) -> int:
        """Return the number of a team, made if it is new."""
        with self.database.write() as connection:
            found = connection.execute(select(Team.id).where(Team.name == name)).scalar()
            if found is None:
                row = insert(Team).values(name=name, created=self.clock.now)
                (found,) = connection.execute(row).inserted_primary_key or (None,)
        assert isinstance(found, int)
        return found

    def token(
        self, role: str, team: str | None = None, round_name: str | None = None, days: int = 30
    ) -> str:
        """Return a new token."""
        team_id = None if team is None else self.team(team)
        with self.database.write() as connection:
            _, text = tokens.issue(
                connection, self.clock.now, role, days, team_id, round_name, note="of a test"
            )
        return text

    def number(self, token: str) -> int:
        """Return a token's number."""
        with self.database.read() as connection:
            asked = select(Token.id).where(Token.sha256 == tokens.hashed(token))
            return int(connection.execute(asked).scalar_one())

    def revoke(self, token: str) -> None:
        """Take a token back."""
        number = self.number(token)
        with self.database.write() as connection:
            assert tokens.revoke(connection, number, self.clock.now)

    def sign_in(self, token: str, client: TestClient | None = None) -> TestClient:
        """Sign in as a browser does, and return the browser."""
        client = client or self.new_client()
        answer = client.post(
            "/sign-in", data={"token": token, "csrf": csrf(client.get("/sign-in"))}
        )
        assert answer.status_code == 303, answer.text
        return client


def csrf(answer: Response) -> str:
    """Return the hidden field of the first form on a page."""
    found = CSRF.search(answer.text)
    assert found, answer.text
    return found.group(1)


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a program that has a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(name="where")
def _where() -> str:
    """The URL of the database: none, which is SQLite; tests/services has another."""
    return ""


@pytest.fixture(name="make_site")
def _make_site(tmp_path: Path, where: str) -> Iterator[Callable[..., Site]]:
    """A maker of servers on one folder and database, which takes what `Site` takes by name."""
    made: list[Site] = []

    def make(**options: Any) -> Site:
        made.append(Site(tmp_path / "board", where, **options))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


@pytest.fixture(name="site")
def _site(make_site: Callable[..., Site]) -> Site:
    """A server."""
    return make_site()


@pytest.fixture(name="client")
def _client(site: Site) -> TestClient:
    """A browser that has not been there."""
    return site.client
