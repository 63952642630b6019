"""The page by which an author hands in, sees what the team handed in, and takes it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from seedlock.evaluation.rounds import steps
from seedlock.leaderboard.configuration import Limits
from seedlock.leaderboard.tables import Audit, Submission
from tests.leaderboard.api.test_submissions import Open
from tests.leaderboard.conftest import START, csrf
from tests.leaderboard.handing_in import DAY, at, hand_in, packed, put, submission

PAGE = "/rounds/small/uploads"


@pytest.fixture(name="board")
def _board(tmp_path: Path) -> Open:
    return Open(tmp_path)


def send(browser: TestClient, raw: bytes, **fields: str) -> Any:
    """Send the form as a browser does."""
    fields = {"csrf": csrf(browser.get(PAGE)), **fields}
    return browser.post(PAGE, data=fields, files={"archive": ("s.tar.gz", raw)})


def rows(board: Open) -> int:
    """Return how many uploads the server took."""
    with board.site.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(Submission)).scalar_one())


def test_an_author_hands_in_sees_it_and_takes_it_back(board: Open, tmp_path: Path) -> None:
    """Two uploads of a name: the last counts, until it is withdrawn."""
    browser = board.site.sign_in(board.ours)
    first, handed = packed(submission(tmp_path / "mine"))
    second, later = packed(submission(tmp_path / "mine", program="print(2)\n"))

    assert send(browser, first, digest=handed.digest).status_code == 303
    answer = send(browser, second)
    shown = browser.get(answer.headers["Location"])

    assert shown.status_code == 200
    assert f"Upload 2 is safe on the server's disk: mine, <code>{later.digest}</code>" in shown.text
    assert handed.digest in shown.text
    assert [shown.text.count(word) for word in (">counts", ">replaced")] == [1, 1]
    fields = {"csrf": csrf(shown)}
    assert browser.post(f"{PAGE}/2/withdraw", data=fields).status_code == 303
    shown = browser.get(PAGE)
    assert [shown.text.count(word) for word in (">counts", ">withdrawn")] == [1, 1]
    assert len(board.left()) == 2  # the withdrawn one until the next start
    with board.site.database.read() as connection:
        said = connection.execute(select(Audit.what, Audit.outcome)).all()
    assert [tuple(row) for row in said if row.what in ("hand in", "withdraw")] == [
        ("hand in", "done"), ("hand in", "done"), ("withdraw", "done"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "raw", "status", "said"),
    [
        ({"csrf": "0" * 64}, None, 403, "not from a page that you have open"),
        ({"digest": f"sha256:{'0' * 64}"}, None, 422, "was said with it"),
        ({"digest": "mine"}, None, 422, "this is no digest"),
        ({}, b"", 422, "no file came with the form"),
        ({}, b"PK\x03\x04", 422, "it is no .tar.gz"),
        ({}, b"\x1f\x8b" + b"0" * 230_000, 413, "more than 200000 bytes"),
        ({"more": "x" * 100_000}, None, 400, "maximum size"),
    ],
    ids=["csrf", "other digest", "no digest", "empty", "zip", "large", "long field"],
)  # fmt: skip
def test_what_is_refused_leaves_nothing(
    tmp_path: Path, fields: dict[str, str], raw: bytes | None, status: int, said: str
) -> None:
    """No row, no file, and a page that says why."""
    board = Open(tmp_path, Limits(rate=0, upload=200_000))
    good, _ = packed(submission(tmp_path / "mine"))

    answer = send(board.site.sign_in(board.ours), good if raw is None else raw, **fields)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert (rows(board), board.left()) == (0, [])


def test_nothing_after_the_deadline(board: Open, tmp_path: Path) -> None:
    """The page has no form then, and one that was open is refused."""
    browser = board.site.sign_in(board.ours)
    raw, _ = packed(submission(tmp_path / "mine"))
    assert send(browser, raw).status_code == 303
    board.site.clock.pass_by(DAY + 1)
    browser = board.site.sign_in(board.ours)  # the session ended before
    field = {"csrf": csrf(browser.get("/account"))}

    late = browser.post(PAGE, data=field, files={"archive": ("s.tar.gz", raw)})
    back = browser.post(f"{PAGE}/1/withdraw", data=field)
    shown = browser.get(PAGE)

    assert (late.status_code, back.status_code, rows(board)) == (409, 409, 1)
    assert "too late" in late.text
    assert "Nothing more is taken: the deadline was" in shown.text
    assert 'type="file"' not in shown.text and "/withdraw" not in shown.text
    assert ">counts" in shown.text


def test_who_sees_it(board: Open, tmp_path: Path) -> None:
    """The team; organisers and reviewers without form; no other team, and nobody else."""
    raw, handed = packed(submission(tmp_path / "mine"))
    assert hand_in(board.site, board.ours, "small", raw).status_code == 201
    elsewhere = board.site.token("author", "ours", "other")
    for token, status, sees, form in (
        (board.ours, 200, True, True), (board.theirs, 200, False, True),
        (board.organiser, 200, True, False), (board.reviewer, 200, True, False),
        (elsewhere, 403, False, False),
    ):  # fmt: skip
        answer = board.site.sign_in(token).get(PAGE)
        assert answer.status_code == status
        assert (handed.digest in answer.text, 'type="file"' in answer.text) == (sees, form)
    assert board.site.new_client().get(PAGE).headers["Location"] == "/sign-in"
    assert PAGE not in board.site.new_client().get("/rounds/small").text
    assert PAGE in board.site.sign_in(board.ours).get("/rounds/small").text
    assert PAGE not in board.site.sign_in(elsewhere).get("/rounds/small").text


def test_who_may_not_do_it(board: Open, tmp_path: Path) -> None:
    """Another team can't take an upload back, nor is told of it; only authors hand in."""
    raw, _ = packed(submission(tmp_path / "mine"))
    assert hand_in(board.site, board.ours, "small", raw).status_code == 201
    for token, status in ((board.theirs, 404), (board.reviewer, 404), (board.organiser, 404)):
        browser = board.site.sign_in(token)
        field = {"csrf": csrf(browser.get("/account"))}
        assert browser.post(f"{PAGE}/1/withdraw", data=field).status_code == status
        if token != board.theirs:
            files = {"archive": ("s.tar.gz", raw)}
            assert browser.post(PAGE, data=field, files=files).status_code == 403
    assert board.listed(board.ours) == ["mine"]


def test_many_are_on_pages(tmp_path: Path) -> None:
    """The newest first."""
    board = Open(tmp_path, Limits(rate=0, page_size=1))
    for name in ("a", "b"):
        raw, _ = packed(submission(tmp_path / name, name=name))
        assert hand_in(board.site, board.ours, "small", raw).status_code == 201
    browser = board.site.sign_in(board.ours)
    first, second = (browser.get(f"{PAGE}?page={number}").text for number in (1, 2))

    assert ("<td>b</td>" in first, "<td>a</td>" in first) == (True, False)
    assert ("<td>b</td>" in second, "<td>a</td>" in second) == (False, True)


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_a_submissions_page_leads_to_its_archive(
    board: Open, tmp_path: Path, visibility: str
) -> None:
    """Organisers, reviewers and its own team; nobody else has the link or, by its address, the
    file, be the submission public."""
    raw, handed = packed(submission(tmp_path / "mine", visibility=visibility))
    assert hand_in(board.site, board.ours, "small", raw).status_code == 201
    entry = {"name": "mine", "digest": handed.digest, "visibility": visibility}
    steps.freeze_round(board.round, [entry], at(START), early=True)
    answer = put(board.site, board.organiser, "small", board.round.folder / "freeze.json")
    assert answer.status_code == 200, answer.text
    elsewhere = board.site.token("reviewer", None, "other")
    link = f"{PAGE}/1/archive"

    for token, sees in (
        (board.organiser, True), (board.reviewer, True), (board.ours, True),
        (board.theirs, False), (elsewhere, False), (None, False),
    ):  # fmt: skip
        browser = board.site.new_client() if token is None else board.site.sign_in(token)
        page = browser.get("/rounds/small/submissions/mine")
        archive = browser.get(link)

        assert page.status_code == 200 and handed.digest in page.text
        assert (f'href="{link}"' in page.text, archive.status_code == 200) == (sees, sees)
        assert (archive.content == raw) == sees
        assert archive.status_code == (200 if sees else 401 if token is None else 404)
