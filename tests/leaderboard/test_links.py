"""Addresses of pages on the server and in an export."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from seedlock.leaderboard.links import ServerLinks, StaticLinks, slug

STRANGE = ["a/b", "../../etc", "x?y=1&z", "a b", 'q"><', "é", "a#b", "%2e%2e", "." * 3]


@pytest.mark.parametrize("metric", STRANGE)
def test_any_metric_has_an_address_that_leads_back_to_it(metric: str) -> None:
    """A metric's name stands in the query and comes back as it was."""
    address = ServerLinks().board("r-1", metric=metric, page=2)

    assert urlsplit(address).path == "/rounds/r-1"
    assert parse_qs(urlsplit(address).query) == {"metric": [metric], "page": ["2"]}


@pytest.mark.parametrize("metric", STRANGE)
def test_any_metric_has_a_file_of_its_own(metric: str) -> None:
    """Names of files in an export are plain, stay in its folder, and differ where metrics do."""
    name = StaticLinks("index.html", "accuracy").board_file(metric, 1)

    assert "/" not in name and ".." not in name and name.isascii()
    assert len({slug(each) for each in STRANGE}) == len(STRANGE)


def test_addresses_of_an_export_are_relative_to_the_page() -> None:
    """From a page in a folder the way leads up first."""
    links = StaticLinks("submissions/a.html", "accuracy", frozenset({"b"}), frozenset({("b", "c")}))

    assert links.style() == "../static/style.css"
    assert links.board("r") == "../index.html"
    assert links.submission("r", "b") == "b.html"
    assert links.record("r", "b", "0-1.json") == "../records/b/0-1.json"
    assert links.compare("r", "c", "b") == links.compare("r", "b", "c") == "../compare/b~c.html"


def test_what_an_export_does_not_have_has_no_address() -> None:
    """Sorting, other rounds and verifying need the server."""
    links = StaticLinks("index.html", "accuracy")

    assert links.board("r", sort="name") is links.board("r", matching="a") is None
    others: list[str | None] = [links.rounds(), links.images(), links.verify("r")]  # type: ignore[func-returns-value]
    assert others == [None, None, None]
    assert links.compare("r") is links.compare("r", "a", "b") is links.record("r", "a", "0") is None
