"""Tokens: their form, their end, and what their use costs."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from seedlock.errors import BadRound
from seedlock.leaderboard import tokens
from tests.leaderboard.conftest import Site, bearer


def test_each_is_another() -> None:
    """256 bits in one form."""
    made = {tokens.new() for _ in range(100)}

    assert len(made) == 100
    assert all(tokens.FORM.fullmatch(each) for each in made)


def test_no_token_follows_from_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a lock could decide what the system draws, none is made."""
    monkeypatch.setattr("os.urandom", tokens.hashed)
    monkeypatch.setattr(tokens.hashed, "__wrapped__", tokens.hashed, raising=False)

    with pytest.raises(BadRound, match="REPRO_SEED"):
        tokens.new()


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer x{}", "Bearer {} {}",
     "Bearer slk_", "Bearer é"],
)  # fmt: skip
def test_what_is_no_bearer_token(site: Site, header: str) -> None:
    """A header that is wrong is refused, never taken for nobody's."""
    text = header.format(*[site.token("organiser")] * 2)
    answer = site.client.get("/api/v1/me", headers=[(b"Authorization", text.encode())])

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["cure"]


def test_a_token_in_the_query_is_none(site: Site) -> None:
    """It would stand in logs and histories."""
    token = site.token("organiser")

    assert site.client.get(f"/api/v1/me?token={token}&access_token={token}").status_code == 401


def test_its_use_is_noted_once_a_minute(site: Site) -> None:
    """A request of somebody known reads one row, and writes one at most each minute."""
    token = site.token("reviewer")
    statements: list[str] = []

    @event.listens_for(site.database._engine, "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, *_others: object) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            statements.append(statement[:6])

    seen = []
    for seconds in (0, 30, 29, 1):
        site.clock.pass_by(seconds)
        statements.clear()
        assert site.client.get("/api/v1/me", headers=bearer(token)).status_code == 200
        seen.append(statements.copy())
    statements.clear()
    site.client.get("/sign-in")

    assert seen == [["SELECT", "UPDATE"], ["SELECT"], ["SELECT"], ["SELECT", "UPDATE"]]
    assert statements == []


def test_the_last_use_is_shown(site: Site) -> None:
    """So that an organiser sees which token nobody needs."""
    token = site.token("organiser")
    before = site.client.get("/api/v1/tokens", headers=bearer(token)).json()["tokens"][0]

    assert before["last_used"] == "2026-09-21T14:13:20Z"


@pytest.mark.parametrize(("role", "team"), [("author", None), ("organiser", 1), ("public", None)])
def test_what_does_not_go_together(site: Site, role: str, team: int | None) -> None:
    """Whoever asks for it, in the program itself."""
    with pytest.raises(ValueError, match="no token for"), site.database.write() as connection:
        tokens.issue(connection, 0, role, 1, team)
