"""The link that makes the first organiser."""

from __future__ import annotations

import pytest

from seedlock.leaderboard import first_link
from tests.leaderboard.conftest import Site, bearer, csrf

HOUR = 3600


def link(site: Site) -> str:
    """Return a new link's path and query."""
    with site.database.write() as connection:
        made = first_link.new(connection, site.clock.now, HOUR, site.configuration.url)
    return made.removeprefix(site.configuration.url)


def use(site: Site, path: str, opened: bool = True) -> tuple[int, str]:
    """Open a link, confirm, and return status and text."""
    client = site.new_client()
    page = client.get(path if opened else "/first")
    fields = {"code": path.partition("=")[2], "csrf": csrf(page)}
    answer = client.post("/first", data=fields)
    return answer.status_code, answer.text


def test_it_makes_an_organiser_once(site: Site) -> None:
    """And shows the token this once."""
    path = link(site)
    client = site.client
    page = client.get(path)
    fields = {"code": path.partition("=")[2], "csrf": csrf(page)}
    answer = client.post("/first", data=fields)
    token = answer.text.partition("slk_")[2][:43]
    again = use(site, path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    me = client.get("/api/v1/me", headers=bearer(f"slk_{token}")).json()
    assert (me["role"], me["round"]) == ("organiser", None)
    assert client.get("/administration").status_code == 200
    assert token not in client.get("/administration").text
    assert again[0] == 403 and "slk_" not in again[1]


def test_opening_it_uses_nothing_up(site: Site) -> None:
    """As programs do that look at links in messages beforehand."""
    path = link(site)
    for _ in range(3):
        assert site.new_client().get(path).status_code == 200

    assert use(site, path)[0] == 200


def test_it_ends_after_an_hour(site: Site) -> None:
    """To the second."""
    path = link(site)
    site.clock.pass_by(HOUR)
    late = use(site, path)
    path = link(site)
    site.clock.pass_by(HOUR - 1)

    assert late[0] == 403
    assert use(site, path)[0] == 200


def test_a_new_one_voids_those_before(site: Site) -> None:
    """There is one at a time."""
    first, second = link(site), link(site)

    assert use(site, first)[0] == 403
    assert use(site, second)[0] == 200


@pytest.mark.parametrize("code", ["", "A" * 43, "%00", "' OR '1'='1", "x" * 5000])
def test_no_other_code_does(site: Site, code: str) -> None:
    """Whatever it is."""
    link(site)

    assert use(site, f"/first?code={code}", opened=False)[0] == 403


def test_it_is_needed_until_there_is_an_organiser(site: Site) -> None:
    """Other tokens do not count; one of an organiser's that was revoked does, since a new link
    is then asked for on the server."""

    def needed() -> bool:
        with site.database.read() as connection:
            return first_link.needed(connection)

    seen = [needed()]
    site.token("author", "Blue")
    seen.append(needed())
    token = site.token("organiser")
    seen.append(needed())
    site.revoke(token)
    seen.append(needed())

    assert seen == [True, True, False, False]


def test_the_code_is_hashed_at_rest(site: Site) -> None:
    """Who reads the database, or a backup of it, can't become organiser."""
    code = link(site).partition("=")[2]
    folder = site.configuration.folder
    if not site.database.server:
        kept = b"".join(path.read_bytes() for path in folder.glob("board.db*"))

        assert len(code) == 43
        assert code.encode() not in kept
