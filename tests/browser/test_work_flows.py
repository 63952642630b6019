"""An organiser, authors, a reviewer and the public at work, each in a window without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import boards
from tests.browser.boards import DONE, OPEN, sign_in, window
from tests.leaderboard.served import Served, serving
from tests.leaderboard.work import Person
from tests.services import postgresql

TOKEN = re.compile(r"slk_[A-Za-z0-9_-]{43}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"], name="served")
def _served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server that nobody has been to, on each database."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        options = []
        if request.param == "postgresql":
            options = ["--database", stack.enter_context(postgresql.running()).new()]
        yield stack.enter_context(serving(folder / "server", *options))


def become_organiser(page: Page, served: Served, file: Path) -> Person:
    """Use the first link up."""
    page.goto(served.first_link)
    page.get_by_role("button", name="Make my token").click()
    token = page.locator("#token").inner_text()
    assert TOKEN.fullmatch(token)
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Administration")
    return Person(served, token, file)


def make_team(page: Page, name: str) -> None:
    """Make a team on the page of administration."""
    page.goto("/administration")
    page.get_by_label("Name of a new team").fill(name)
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_role("region", name="Teams").get_by_text(name)).to_be_visible()


def issue(page: Page, served: Served, file: Path, role: str, team: str | None = None) -> Person:
    """Issue a token there, and keep it."""
    page.goto("/administration")
    page.get_by_label("Role").select_option(role)
    if team is not None:
        page.get_by_label("Team, of an author").select_option(team)
    page.get_by_label("Note").fill(f"for {file.stem}")
    page.get_by_role("button", name="Issue").click()
    token = page.locator("#token").inner_text()
    assert TOKEN.fullmatch(token)
    return Person(served, token, file)


def test_a_round_from_the_first_link_to_the_board(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    """All that people do, in the order in which they do it."""
    made = boards.rounds(tmp_path)
    with window(browser, served) as page:
        organiser = become_organiser(page, served, tmp_path / "organiser")
        for team in ("Blue", "Red"):
            make_team(page, team)
        blue = issue(page, served, tmp_path / "blue", "author", "Blue")
        red = issue(page, served, tmp_path / "red", "author", "Red")
        reviewer = issue(page, served, tmp_path / "reviewer", "reviewer")
        the_link_is_used_up(page, served)
        for folder in made.values():
            organiser.command("board", "publish", folder)
        look_at_the_board(page)
        verify_the_ceremony(page)
        authors_hand_in(browser, served, blue, red, reviewer, tmp_path)
        revoking_ends_sessions(browser, served, page, red)
        page.goto("/administration/audit")
        expect(page.locator("main")).to_contain_text("revoke token")
        page.goto("/account")
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.goto("/administration")
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Administration")


def the_link_is_used_up(page: Page, served: Served) -> None:
    """Nobody becomes organiser by it again."""
    page.goto(served.first_link)
    page.get_by_role("button", name="Make my token").click()
    expect(page.locator("main")).to_contain_text("this link was used")


def look_at_the_board(page: Page) -> None:
    """From the list of rounds to a submission, its comparison with another, the ledger, images."""
    page.goto("/")
    page.get_by_role("link", name=DONE).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(DONE)
    expect(page.locator("main svg").first).to_be_visible()
    names = page.locator("table tbody th[scope=row]")
    first = names.first.inner_text()
    page.locator("table thead").first.get_by_role("link").first.click()
    expect(page.locator("table tbody th[scope=row]").first).to_be_visible()
    page.goto(f"/rounds/{DONE}")
    page.get_by_role("link", name="loss").first.click()
    expect(page.locator("main")).to_contain_text("loss")
    page.goto(f"/rounds/{DONE}?filter=tree")
    expect(page.locator("table tbody th[scope=row]").first).to_contain_text("tree")
    page.goto(f"/rounds/{DONE}")
    page.locator("table tbody").get_by_role("link", name=re.compile(first.split()[0])).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(first.split()[0])
    page.goto(f"/rounds/{DONE}/compare?a=tree-1&b=wide-1")
    expect(page.locator("main")).to_contain_text("wide-1")
    page.goto(f"/rounds/{DONE}/ledger")
    expect(page.locator("main")).to_contain_text("entered")
    page.goto("/images")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def verify_the_ceremony(page: Page) -> None:
    """The button says what the files prove, and what they can't."""
    page.goto(f"/rounds/{DONE}/ceremony")
    page.get_by_role("button", name=re.compile("erify")).click()
    expect(page.locator("main")).to_contain_text("CONDITIONAL")
    expect(page.locator("main")).to_contain_text("follow from secret, beacon and root")


def authors_hand_in(
    browser: Browser, served: Served, blue: Person, red: Person, reviewer: Person, folder: Path
) -> None:
    """A private submission is its team's, the organisers' and the reviewers', and nobody else's."""
    mine = boards.submission(folder, "blue-net", "private")
    assert "blue-net" in blue.command("submit", mine, "--round", OPEN).out
    for who, sees in ((blue, True), (red, False), (reviewer, True)):
        told = who.ask("GET", f"rounds/{OPEN}/submissions").json()
        assert [each["name"] for each in told["uploads"]] == ["blue-net"] * sees, who.file.name
    for signed_in in (True, False):
        with window(browser, served) as page:
            if signed_in:
                hand_in_by_the_form(browser, served, red, folder)
                sign_in(page, red.token)
                expect(page.get_by_role("heading", level=1)).to_have_text("Account")
            for path in ("/", f"/rounds/{OPEN}", f"/rounds/{OPEN}/submissions/blue-net"):
                page.goto(path)
                assert "blue-net" not in page.content(), path


def hand_in_by_the_form(browser: Browser, served: Served, who: Person, folder: Path) -> None:
    """An archive is chosen, taken, listed with its digest, and taken back."""
    archive = folder / "red-net.tar.gz"
    mine = boards.submission(folder, "red-net", "private")
    digest = who.command("submit", mine, "--archive", archive).lines[1].split()[1]
    with window(browser, served) as page:
        sign_in(page, who.token)
        page.goto(f"/rounds/{OPEN}")
        page.get_by_role("link", name="Hand in").click()
        page.get_by_label(re.compile("Digest")).fill(digest)
        page.get_by_label(re.compile("Archive")).set_input_files(archive)
        page.get_by_role("button", name="Hand in").click()
        expect(page.get_by_role("status")).to_contain_text(digest)
        row = page.get_by_role("row").filter(has_text="red-net")
        expect(row).to_contain_text("counts")
        row.get_by_role("button", name=re.compile("Withdraw")).click()
        expect(page.get_by_role("row").filter(has_text="red-net")).to_contain_text("withdrawn")


def revoking_ends_sessions(browser: Browser, served: Served, page: Page, red: Person) -> None:
    """At once, in whichever browser, and for commands."""
    with window(browser, served) as theirs:
        sign_in(theirs, red.token)
        expect(theirs.get_by_role("heading", level=1)).to_have_text("Account")
        page.goto("/administration")
        row = page.get_by_role("row").filter(has_text="for red")
        row.get_by_role("button", name=re.compile("Revoke")).click()
        expect(page.get_by_role("row").filter(has_text="for red")).to_contain_text("revoked")
        theirs.goto("/account")
        expect(theirs.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert red.ask("GET", "me").status_code == 401
