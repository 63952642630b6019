"""The audit log."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from seedlock.errors import DatabaseUnavailable
from seedlock.leaderboard import audit, first_link
from seedlock.leaderboard.tables import Audit
from tests.leaderboard.conftest import Site, bearer, csrf

REFUSED = (DatabaseUnavailable, IntegrityError)
"""As PostgreSQL and as SQLite call it."""


def rows(site: Site) -> list[tuple[str, str, str, str]]:
    """Return who, what, on and outcome of all rows."""
    asked = select(Audit.who, Audit.what, Audit.on, Audit.outcome).order_by(Audit.id)
    with site.database.read() as connection:
        return [(each.who, each.what, each.on, each.outcome) for each in connection.execute(asked)]


def test_what_is_done_is_noted(site: Site) -> None:
    """Who, what, on what, and what became of it; refusals too."""
    mine = site.token("organiser")
    headers = bearer(mine)
    browser = site.sign_in(mine)
    api = site.new_client(headers=headers)
    api.post("/api/v1/teams", json={"name": "Blue"})
    wanted = {"role": "author", "team": "Blue", "round": "spring"}
    number = api.post("/api/v1/tokens", json=wanted).json()["id"]
    api.delete(f"/api/v1/tokens/{number}")
    api.delete(f"/api/v1/tokens/{number}")
    browser.post("/sign-out", data={"csrf": csrf(browser.get("/account"))})
    page = site.client.get("/sign-in")
    site.client.post("/sign-in", data={"token": "wrong", "csrf": csrf(page)})

    me = "organiser (token 1)"
    assert rows(site) == [
        (me, "sign in", "", "done"),
        (me, "make team", "Blue", "done"),
        (me, "issue token", "token 2: author of Blue, round spring", "done"),
        (me, "revoke token", "token 2", "done"),
        (me, "revoke token", "token 2", "was revoked before"),
        (me, "sign out", "", "done"),
        ("public", "sign in", "", "refused"),
    ]
    with site.database.read() as connection:
        assert set(connection.execute(select(Audit.address)).scalars()) == {"testclient"}


def test_it_holds_no_secret(site: Site) -> None:
    """Neither tokens nor codes nor sessions, wherever they were typed in."""
    with site.database.write() as connection:
        link = first_link.new(connection, site.clock.now, 60, site.configuration.url)
    code = link.partition("=")[2]
    mine = site.token("organiser")
    browser = site.sign_in(mine)
    fields = {"code": code, "csrf": csrf(browser.get("/account")), "name": mine}
    fresh = browser.post("/first", data=fields).cookies["seedlock_session"]
    with site.database.write() as connection:
        note = audit.Note(site.clock.now, mine, mine, f"x{mine}")
        note.write(connection, f"{mine} {mine}", mine)
    kept = str(rows(site))

    assert "slk_..." in kept
    for secret in (code, mine, fresh, mine.removeprefix("slk_")):
        assert secret not in kept


def test_no_line_can_be_forged(site: Site) -> None:
    """What comes from visitors has no line break, no control character, and an end."""
    with site.database.write() as connection:
        note = audit.Note(site.clock.now, "a\r\nb", "\x1b[2J", "\u202e")
        note.write(connection, "x" * 5000, "\0")

    assert rows(site)[0] == ("a??b", "???", "x" * 300, "?")


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_it_is_only_ever_added_to(site: Site, statement: str) -> None:
    """The database itself refuses."""
    site.sign_in(site.token("organiser"))
    with pytest.raises(REFUSED, match="only ever added to"):  # noqa: SIM117
        with site.database.write() as connection:
            connection.execute(text(statement))

    assert len(rows(site)) == 1


def test_what_was_not_done_is_not_noted_as_done(site: Site) -> None:
    """The row is in the transaction of what it tells about."""
    headers = bearer(site.token("organiser"))
    for _ in range(2):
        site.client.post("/api/v1/teams", json={"name": "Blue"}, headers=headers)

    assert [row[1:] for row in rows(site)] == [("make team", "Blue", "done")]
