"""Every page as people see it: wide and on a phone, light and dark, by keyboard, with axe-core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe, boards
from tests.browser.boards import DONE, OPEN, TRAINING, sign_in, window
from tests.interpreter import REPOSITORY
from tests.leaderboard.served import Served, serving
from tests.leaderboard.work import Organiser

IMAGES = REPOSITORY / "docs" / "images"

PUBLIC = [
    "/", f"/rounds/{DONE}", f"/rounds/{DONE}?metric=loss&sort=runtime",
    f"/rounds/{DONE}?filter=tree",
    f"/rounds/{DONE}?filter=nothing", f"/rounds/{TRAINING}", f"/rounds/{OPEN}",
    f"/rounds/{DONE}/submissions/tree-1", f"/rounds/{DONE}/submissions/sparse-1",
    f"/rounds/{TRAINING}/submissions/tree-1", f"/rounds/{DONE}/compare",
    f"/rounds/{DONE}/compare?a=tree-1&b=wide-1", f"/rounds/{DONE}/ceremony",
    f"/rounds/{TRAINING}/ceremony", f"/rounds/{OPEN}/ceremony", f"/rounds/{DONE}/ledger",
    f"/rounds/{DONE}/ledger?page=3", "/images", "/sign-in", "/first?code=used", "/nowhere",
]  # fmt: skip

OF_ORGANISERS = [
    "/administration", "/administration/audit", "/account", f"/rounds/{DONE}",
    f"/rounds/{DONE}/uploads", f"/rounds/{OPEN}/uploads",
]  # fmt: skip

SCREENSHOTS = {
    "board": (f"/rounds/{DONE}", False, False),
    "board-dark": (f"/rounds/{DONE}", True, False),
    "board-phone": (f"/rounds/{DONE}", False, True),
    "submission": (f"/rounds/{DONE}/submissions/tree-1", False, False),
    "compare": (f"/rounds/{DONE}/compare?a=tree-1&b=wide-1", False, False),
    "ceremony": (f"/rounds/{DONE}/ceremony", False, False),
}
"""Pages of the documents by name: address, dark, on a phone."""


@dataclass(frozen=True)
class Shown:
    """A server with rounds of each state, and its organiser."""

    served: Served
    organiser: Organiser


@pytest.fixture(scope="module", name="shown")
def _shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A server on SQLite."""
    folder = tmp_path_factory.mktemp("shown")
    with serving(folder / "server", "--rate", "0") as served:
        organiser = Organiser(served, folder)
        for each in boards.rounds(folder).values():
            organiser.publish(each)
        image = {
            "name": "conference/repro-base", "version": "2026.1", "digest": f"sha256:{'1' * 64}",
            "lock": f"sha256:{'2' * 64}",
        }  # fmt: skip
        assert organiser.ask("POST", "images", json=image).status_code == 201
        yield Shown(served, organiser)


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_keeps_anybody_out(browser: Browser, shown: Shown, dark: bool, phone: bool) -> None:
    """No serious and no critical fault, and nothing wider than the window, whoever looks."""
    wrong = []
    with window(browser, shown.served, scripts=True, dark=dark, phone=phone) as page:
        loud: list[str] = []
        page.on("console", lambda message: loud.append(message.text))
        page.on("request", lambda request: loud.append(request.url))
        for path in PUBLIC:
            wrong += looked_at(page, path)
        page.goto(f"/rounds/{DONE}/ceremony")
        page.get_by_role("button", name="erify").click()
        wrong += [f"verified: {fault}" for fault in axe.faults(page)]
        sign_in(page, shown.organiser.token)
        for path in OF_ORGANISERS:
            wrong += looked_at(page, path)

    assert not wrong, "\n".join(wrong)
    here = (shown.served.url, "data:", "Failed to load resource: the server responded with a")
    assert [each for each in loud if not each.startswith(here)] == []


def looked_at(page: Page, path: str) -> list[str]:
    """Return the faults of a page."""
    page.goto(path)
    found = [f"{path}: {fault}" for fault in axe.faults(page)]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        found.append(f"{path}: {wide} px wider than the window")
    if page.locator("h1").count() != 1:
        found.append(f"{path}: {page.locator('h1').count()} headings of the first level")
    return found


def test_the_keyboard_leads_everywhere(browser: Browser, shown: Shown) -> None:
    """First the link to the content; what has the focus can be seen; a column is sorted by it."""
    with window(browser, shown.served, scripts=True) as page:
        page.goto(f"/rounds/{DONE}")
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        expect(skip).to_have_attribute("href", "#content")
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        unseen = []
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if focused.count() == 0:
                break
            outline = focused.evaluate(
                "each => { const s = getComputedStyle(each);"
                " return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1"
                " || s.boxShadow !== 'none' }"
            )
            if not outline:
                unseen.append(focused.evaluate("each => each.outerHTML.slice(0, 200)"))
        assert not unseen, "\n".join(unseen)
        link = page.locator("table thead").get_by_role("link").first
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator("table tbody th[scope=row]").first).to_be_visible()
        assert "sort=" in page.url


def test_a_chart_has_its_table_and_its_words(browser: Browser, shown: Shown) -> None:
    """Who does not see it hears what it is, and finds the numbers below it."""
    with window(browser, shown.served) as page:
        page.goto(f"/rounds/{DONE}")
        chart = page.locator("main svg").first

        expect(chart).to_be_visible()
        named = (chart.get_attribute("aria-labelledby") or "").split()
        assert len(named) == 2
        assert all(page.locator(f"#{each}").text_content() for each in named)
        assert page.locator("main table caption").count() >= 1
        box = chart.bounding_box()
        table = page.locator("main table").first.bounding_box()
        assert box is not None and table is not None and box["y"] < table["y"]


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_the_seeds_are_what_one_sees_first(browser: Browser, shown: Shown, phone: bool) -> None:
    """Without scrolling: the chart begins in the upper three fifths of the window, with a dot for
    each seed and a band for each interval."""
    with window(browser, shown.served, phone=phone) as page:
        page.goto(f"/rounds/{DONE}")
        chart = page.locator("main svg:visible").first
        box, size = chart.bounding_box(), page.viewport_size

        assert box is not None and size is not None
        assert box["y"] < 0.6 * size["height"]
        expect(chart).to_be_in_viewport(ratio=0.2)
        expect(page.locator("main figcaption").first).to_contain_text("A dot is one seed")


def test_pictures_of_the_documents(
    browser: Browser, shown: Shown, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Each page can be drawn; with --screenshots the documents get the new pictures."""
    folder = IMAGES if request.config.getoption("--screenshots") else tmp_path
    folder.mkdir(exist_ok=True)
    for name, (path, dark, phone) in SCREENSHOTS.items():
        with window(browser, shown.served, dark=dark, phone=phone) as page:
            page.goto(path)
            raw = page.screenshot(path=folder / f"{name}.png", animations="disabled")
        assert 5_000 < len(raw) < 300_000, (name, len(raw))
    assert {path.stem for path in IMAGES.glob("*.png")} == SCREENSHOTS.keys()
