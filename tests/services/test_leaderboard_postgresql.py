"""A leaderboard in PostgreSQL: the tests of the one in SQLite, against a server of Debian's."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text

from seedlock.errors import BadServer, DatabaseUnavailable
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.leaderboard import first_link, tokens
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.tables import Audit
from tests.leaderboard.conftest import (  # noqa: F401
    Site,
    _client,
    _make_site,
    _site,
    bearer,
    csrf,
)
from tests.leaderboard.test_administration import (
    test_a_day_of_an_organiser_in_the_interface as test_a_day_of_an_organiser_in_the_interface,
)
from tests.leaderboard.test_administration import (
    test_a_day_of_an_organiser_on_the_pages as test_a_day_of_an_organiser_on_the_pages,
)
from tests.leaderboard.test_administration import (
    test_a_team_is_made_once as test_a_team_is_made_once,
)
from tests.leaderboard.test_administration import (
    test_what_is_long_comes_in_pages as test_what_is_long_comes_in_pages,
)
from tests.leaderboard.test_audit import *  # noqa: F403
from tests.leaderboard.test_first_link import (
    test_it_ends_after_an_hour as test_it_ends_after_an_hour,
)
from tests.leaderboard.test_first_link import (
    test_it_makes_an_organiser_once as test_it_makes_an_organiser_once,
)
from tests.leaderboard.test_sign_in import test_signing_out as test_signing_out
from tests.leaderboard.test_tokens import (
    test_its_use_is_noted_once_a_minute as test_its_use_is_noted_once_a_minute,
)
from tests.services.postgresql import Server


@pytest.fixture(name="where")
def _where(server: Server) -> str:
    """A schema without tables."""
    return server.new()


def test_the_log_can_not_be_emptied(site: Site) -> None:
    """By accident."""
    with pytest.raises(DatabaseUnavailable, match="only ever added to"):  # noqa: SIM117
        with site.database.write() as connection:
            connection.execute(text("TRUNCATE audit"))


def test_several_start_at_once(tmp_path: Path, where: str) -> None:
    """The tables are made once."""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: Database(tmp_path, where), range(4)))
    for each in made:
        each.close()

    assert len(made) == 4


def test_of_two_who_come_at_once_one_wins(make_site: Callable[..., Site]) -> None:
    """A link makes one organiser, and a token is revoked once."""
    site = make_site()
    with site.database.write() as connection:
        link = first_link.new(connection, site.clock.now, 60, site.configuration.url)
    number = site.number(site.token("reviewer"))

    def both(_: int) -> tuple[bool, bool]:
        with site.database.write() as connection:
            used = first_link.use(connection, link.partition("=")[2], site.clock.now)
            return used, tokens.revoke(connection, number, site.clock.now)

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(both, range(16)))

    assert sorted(seen) == [(False, False)] * 15 + [(True, True)]


def test_a_ledgers_schema_is_not_taken(tmp_path: Path, where: str) -> None:
    """A board and a ledger have tables of equal names; the second to come is refused."""
    with Ledger.open(where):
        pass
    with pytest.raises(BadServer, match="the database of something else"):
        Database(tmp_path, where)


def test_no_password_is_told(tmp_path: Path, server: Server) -> None:
    """Neither in the line nor in a traceback."""
    url = server.url("public", "hunter2").replace("seedlock:", "nobody_at_all:")
    with pytest.raises(DatabaseUnavailable) as told:
        Database(tmp_path, url)

    assert "hunter2" not in "".join(traceback.format_exception(told.value))


def test_no_value_of_a_statement_is_told(site: Site) -> None:
    """What somebody sent is not in the line of a statement that failed, nor in the log."""
    with pytest.raises(DatabaseUnavailable) as told, site.database.write() as connection:
        connection.execute(select(Audit.id).where(Audit.id == 2**63), {"secret": "hunter2"})

    assert str(2**63) not in "".join(traceback.format_exception(told.value))


def test_what_only_this_server_refuses(site: Site) -> None:
    """Characters and numbers that SQLite takes and PostgreSQL does not are errors of who sent
    them, never of the server."""
    token = site.token("organiser")
    browser = site.sign_in(token)
    field = csrf(browser.get("/administration"))
    for path, fields in (
        ("/sign-in", {"token": "\0"}),
        ("/administration/teams", {"name": "a\0"}),
        ("/administration/tokens", {"role": "reviewer", "days": "7", "note": "\0"}),
        ("/administration/tokens", {"role": "reviewer", "days": "7", "round": "\0"}),
        ("/administration/tokens", {"role": "author", "days": "7", "team": "\0"}),
        (f"/administration/tokens/{2**31}/revoke", {}),
    ):
        answer = browser.post(path, data={"csrf": field, **fields})
        assert 400 <= answer.status_code < 500, (path, fields, answer.text)
    headers = bearer(token)
    for path in ("/teams?after=%00", f"/tokens?before={2**63}", f"/audit?before={2**63}"):
        assert site.client.get(f"/api/v1{path}", headers=headers).status_code == 422
    team = {"role": "author", "team": "\0"}
    assert site.client.post("/api/v1/tokens", json=team, headers=headers).status_code == 422
