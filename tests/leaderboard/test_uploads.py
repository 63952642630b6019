"""Accepting uploads, many at a time: a name is one team's, and a quota is counted once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from seedlock.leaderboard import tables, uploads
from seedlock.leaderboard.configuration import Limits
from seedlock.leaderboard.intake import Looked, Refused
from seedlock.leaderboard.uploads import Accepted, Author
from tests.leaderboard.conftest import Site


def accept(
    site: Site, author: Author, name: str, content: bytes, most: int = 20,
    round_name: str = "small", team_bytes: int = 1 << 20,
) -> int:  # fmt: skip
    """Hand in as a route does; return the status of the answer."""
    files = site.app.state.files
    with site.database.read() as connection:
        row = connection.execute(
            select(tables.Round).where(tables.Round.name == round_name)
        ).one()  # fmt: skip
    looked = Looked(name, "private", f"sha256:{content.hex() * 32}")
    with files.upload(1000) as upload:
        upload.write(content)
        try:
            found: Accepted = uploads.accept(
                site.database, row, author, looked, upload,
                Limits(submissions=most, team_bytes=team_bytes),
                lambda: site.clock.now, lambda _: None, lambda _connection, _on: time.sleep(0.05),
            )  # fmt: skip
        except Refused as problem:
            return problem.status
    return 200 if found.already else 201


@pytest.fixture(name="round_site")
def _round_site(make_site: Callable[..., Site]) -> Site:
    site = make_site()
    with site.database.write() as connection:
        connection.execute(insert(tables.Round).values(
            name="small", revision=1, created=0, deadline=None
        ))  # fmt: skip
    return site


def test_of_two_teams_that_come_at_once_one_has_the_name(round_site: Site) -> None:
    """Who commits first has the name; all of the other's are refused."""
    teams = [Author(round_site.team(name), name) for name in ("a", "b")]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(
            lambda number: accept(round_site, teams[number % 2], "mine", bytes([number])), range(8)
        ))  # fmt: skip

    mine = statuses[0::2], statuses[1::2]
    assert sorted({tuple(each) for each in mine}) == [(201,) * 4, (409,) * 4]


def test_a_quota_is_counted_once(round_site: Site) -> None:
    """Of eight that come at once, as many are accepted as the team may hand in."""
    team = Author(round_site.team("a"), "a")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(
            lambda number: accept(round_site, team, f"s{number}", bytes([number]), most=3), range(8)
        ))  # fmt: skip

    assert sorted(statuses) == [201] * 3 + [409] * 5
    kept = list((round_site.configuration.folder / "files").rglob("*/*"))
    assert len(kept) == 3


def test_a_teams_bytes_are_counted_once_over_all_rounds(round_site: Site) -> None:
    """Who hands in to several rounds at once gets no more room than one after the other."""
    rounds = [f"round-{number}" for number in range(4)]
    with round_site.database.write() as connection:
        for each in rounds:
            connection.execute(insert(tables.Round).values(
                name=each, revision=1, created=0, deadline=None
            ))  # fmt: skip
    team = Author(round_site.team("a"), "a")
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(
            lambda name: accept(round_site, team, "mine", b"1", round_name=name, team_bytes=2),
            rounds,
        ))  # fmt: skip

    assert sorted(statuses) == [201] * 2 + [413] * 2


def test_what_is_refused_leaves_nothing(round_site: Site, tmp_path: Path) -> None:
    """A refusal keeps no file, though the bytes were whole."""
    team = Author(round_site.team("a"), "a")

    assert accept(round_site, team, "one", b"1", most=0) == 409
    assert not list((round_site.configuration.folder / "files").rglob("*/*"))
    assert not list((round_site.configuration.folder / "tmp").iterdir())
