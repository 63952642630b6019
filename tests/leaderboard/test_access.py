"""Who may see and do what: the whole table."""

from __future__ import annotations

from itertools import product

import pytest

from seedlock.leaderboard import access
from seedlock.leaderboard.access import PUBLIC, Viewer

VIEWERS = {
    "public": PUBLIC,
    "organiser": Viewer("organiser", token_id=1),
    "organiser of this round": Viewer("organiser", token_id=2, round="spring"),
    "organiser of another": Viewer("organiser", token_id=3, round="autumn"),
    "its author": Viewer("author", 1, "Blue", 4),
    "its author, this round": Viewer("author", 1, "Blue", 5, "spring"),
    "its author, another round": Viewer("author", 1, "Blue", 6, "autumn"),
    "another author": Viewer("author", 2, "Red", 7),
    "reviewer": Viewer("reviewer", token_id=8),
    "reviewer of this round": Viewer("reviewer", token_id=9, round="spring"),
    "reviewer of another": Viewer("reviewer", token_id=10, round="autumn"),
}

ORGANISERS = {"organiser", "organiser of this round"}
REVIEWERS = {"reviewer", "reviewer of this round"}
OWN = {"its author", "its author, this round"}
EVERYBODY = set(VIEWERS)

TABLE = {
    "administer": (access.may_administer, {"organiser"}),
    "publish": (lambda v: access.may_publish(v, "spring"), ORGANISERS),
    "submit": (lambda v: access.may_submit(v, "spring"), OWN | {"another author"}),
    "replay": (lambda v: access.may_replay(v, "spring"), ORGANISERS | REVIEWERS),
    "list": (lambda v: access.may_list_submissions(v, "spring"), ORGANISERS | REVIEWERS),
    "archive": (lambda v: access.may_see_archive(v, "spring", 1), ORGANISERS | REVIEWERS | OWN),
    "archive of nobody": (lambda v: access.may_see_archive(v, "spring", None),
                          ORGANISERS | REVIEWERS),
    "withdraw": (lambda v: access.may_withdraw(v, "spring", 1), OWN),
    "details, public": (lambda v: access.may_see_details(v, "spring", "public", 1), EVERYBODY),
    "details, private": (lambda v: access.may_see_details(v, "spring", "private", 1),
                         ORGANISERS | REVIEWERS | OWN),
    "record before the reveal": (lambda v: access.may_see_record(v, "spring", False, "public", 1),
                                 ORGANISERS),
    "record, public": (lambda v: access.may_see_record(v, "spring", True, "public", 1), EVERYBODY),
    "record, private": (lambda v: access.may_see_record(v, "spring", True, "private", 1),
                        ORGANISERS | REVIEWERS | OWN),
}  # fmt: skip


@pytest.mark.parametrize(("what", "who"), list(product(TABLE, VIEWERS)))
def test_the_table(what: str, who: str) -> None:
    """Each role, of this round and of another, in each of what there is to see and do."""
    asked, allowed = TABLE[what]

    assert asked(VIEWERS[who]) is (who in allowed)


@pytest.mark.parametrize("visibility", ["", "Public", "public ", "secret"])
def test_what_is_not_public_is_private(visibility: str) -> None:
    """A word that nobody knows shows nothing."""
    assert not access.may_see_details(PUBLIC, "spring", visibility, 1)
    assert not access.may_see_record(PUBLIC, "spring", True, visibility, 1)
