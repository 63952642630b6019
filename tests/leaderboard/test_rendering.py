"""Pages as a browser gets them: only text of strangers, no script, nothing from elsewhere."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import (
    board_view,
    ceremony_view,
    compare_view,
    ledger_view,
    rounds_view,
    submission_view,
)
from seedlock.leaderboard.board_order import Asked
from seedlock.leaderboard.links import Links, ServerLinks, StaticLinks
from seedlock.leaderboard.rendering import render, style_sheet
from seedlock.leaderboard.round_state import State
from tests.leaderboard import large_round

EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "example_standings.json").read_text()
)  # fmt: skip

STATE = State("revealed", "Revealed.", 48, 50, 10)

EVIL = (
    "\"'><script src=//evil.example/x.js></script><img src=x onerror=alert(1)>{{ 7 * 7 }}</title>"
)

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "use", "path",
        "rect"}  # fmt: skip


class Page(HTMLParser):
    """A page's elements, attributes, ids and text; ill-nested ones are a fault."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that is closed at once."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close an element, which must be the last one opened."""
        if tag not in VOID:
            assert self._open and self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def poisoned(value: Any) -> Any:
    """Return standings or records in which every text that a stranger chooses is hostile."""
    if isinstance(value, dict):
        return {
            key: EVIL if key in ("unit", "hardware", "problem", "verification") and each is not None
            else [EVIL] if key == "reasons"
            else poisoned(each)
            for key, each in value.items()
        }  # fmt: skip
    return [poisoned(each) for each in value] if isinstance(value, list) else value


def renamed(content: Any, names: dict[str, str]) -> Any:
    """Return content with names changed, as keys and as values."""
    if isinstance(content, dict):
        return {names.get(key, key): renamed(each, names) for key, each in content.items()}
    if isinstance(content, list):
        return [renamed(each, names) for each in content]
    return names.get(content, content) if isinstance(content, str) else content


def pages(standings: dict[str, Any], links: Links, folder: Path) -> dict[str, str]:
    """Return one page of each kind."""
    entries = [each["name"] for each in standings["submissions"]]
    metric = next(iter(standings["metrics"]))
    series = {"metrics": {"series": {name: [[0, 1.0], [1, 2.0]] for name in (metric, EVIL)}}}
    submission = submission_view.submission(standings, entries[0], STATE, links, {0: series}, True)
    this = Round(folder)
    checked = ceremony_view.Checked("WRONG", EVIL, (("wrong", EVIL, EVIL),))
    ceremony = replace(
        ceremony_view.ceremony(this, STATE, links, checked, "https://board.example"),
        policy=((EVIL, EVIL),), seeds=(EVIL,),
    )  # fmt: skip
    known = {each["digest"]: (EVIL, False) for each in this.freeze()["submissions"]}
    ledger = ledger_view.ledger(folder, this.policy.name, known, STATE, links)
    assert ledger is not None
    events = tuple(replace(each, kind=EVIL, said=EVIL, time=EVIL) for each in ledger.events[:9])
    rounds = rounds_view.rounds([
        rounds_view.entry(this.policy, STATE, links), rounds_view.unreadable("broken", EVIL),
    ])  # fmt: skip
    images = rounds_view.ImagesView((rounds_view.ImageEntry(*[EVIL] * 6),))
    views = {
        "board.html": board_view.board(standings, STATE, links, Asked(matching="")),
        "submission.html": submission,
        "compare.html": compare_view.comparison(standings, entries[0], entries[1], STATE, links),
        "ceremony.html": ceremony,
        "ledger.html": replace(ledger, events=events, linked=False),
        "rounds.html": rounds,
        "images.html": images,
    }
    return {name: render(name, view, links) for name, view in views.items()}


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small round that was revealed."""
    folder = tmp_path_factory.mktemp("rendering") / "round"
    large_round.make(folder, large_round.Shape(4, 3, "sample-2026"))
    return folder


@pytest.fixture(name="static", scope="module", params=[False, True], ids=["server", "export"])
def _links(request: pytest.FixtureRequest) -> Links:
    """Addresses of both kinds."""
    metric = next(iter(EXAMPLE["metrics"]))
    return StaticLinks("index.html", metric) if request.param else ServerLinks()


@pytest.fixture(name="rendered", scope="module")
def _rendered(static: Links, folder: Path) -> dict[str, str]:
    """The pages of the example."""
    return pages(EXAMPLE, static, folder)


def test_what_strangers_write_is_shown_as_text(static: Links, folder: Path) -> None:
    """Hostile names, metrics, units, reasons and findings are text on every page."""
    first, second = (each["name"] for each in EXAMPLE["submissions"][:2])
    names = {"accuracy": EVIL, first: f"{EVIL}1", second: f"{EVIL}2"}
    standings = renamed(poisoned(copy.deepcopy(EXAMPLE)), names)

    for name, text in pages(standings, static, folder).items():
        page = Page(text)
        tags = {tag for tag, _ in page.elements}
        written = [key for _, attributes in page.elements for key in attributes]

        assert not tags & {"script", "iframe", "object", "embed", "base", "style", "img"}, name
        assert not [key for key in written if key.startswith("on") or key == "style"], name
        assert EVIL in page.text, name


def test_a_page_loads_nothing_but_the_style_sheet(static: Links, rendered: dict[str, str]) -> None:
    """No address of a page leads elsewhere, and nothing is loaded with it but its style sheet."""
    for name, text in rendered.items():
        page = Page(text)
        loaded = [dict(found) for tag, found in page.elements if tag == "link"]
        sheets = [each["href"] for each in loaded if each["rel"] == "stylesheet"]

        assert sheets == [static.style()], name
        assert [each["href"] for each in loaded if each["rel"] != "stylesheet"] == ["data:,"], name
        for _, attributes in page.elements:
            for key in ("href", "src", "action", "data", "srcset", "poster", "formaction"):
                assert not re.match(r"\s*(\w+:|//)", attributes.get(key) or "/") or (
                    attributes[key] == "data:,"
                ), (name, attributes)


def test_the_style_sheet_loads_nothing() -> None:
    """No font, picture or other sheet is fetched by the style sheet."""
    assert not re.search(rb"url\(|@import|@font-face|expression", style_sheet())


def test_every_page_can_be_heard_and_walked_through(rendered: dict[str, str]) -> None:
    """One main heading, landmarks, a skip link, captions, scopes and names; no id twice."""
    for name, text in rendered.items():
        page = Page(text)
        tags = [tag for tag, _ in page.elements]
        ids = [found["id"] for _, found in page.elements if "id" in found]

        assert text.startswith('<!DOCTYPE html>\n<html lang="en">'), name
        assert (tags.count("h1"), tags.count("main"), tags.count("title")) >= (1, 1, 1), name
        assert page.elements[tags.index("a")][1] == {"class": "skip", "href": "#content"}, name
        assert len(ids) == len(set(ids)), name
        assert tags.count("caption") == tags.count("table"), name
        heads = [found for tag, found in page.elements if tag == "th"]
        assert all(found.get("scope") in ("col", "row") for found in heads), name
        for tag, found in page.elements:
            if tag == "svg":
                told = (found["aria-labelledby"] or "").split()
                assert len(told) == 2 and set(told) <= set(ids), name
            if found.get("class") == "scroll":
                assert found["tabindex"] == "0" and found["role"] == "region", name
                assert found["aria-label"], name


def test_every_chart_has_its_table(rendered: dict[str, str]) -> None:
    """Whoever can't see a chart finds its numbers in a table of the same page."""
    for name, text in rendered.items():
        tags = [tag for tag, _ in Page(text).elements]

        assert ("svg" in tags) <= ("table" in tags), name


def test_equal_results_give_equal_bytes(
    static: Links, folder: Path, rendered: dict[str, str]
) -> None:
    """An export is verified by rendering it anew."""
    assert pages(copy.deepcopy(EXAMPLE), static, folder) == rendered


def test_pages_of_an_export_have_no_forms(static: Links, rendered: dict[str, str]) -> None:
    """Nothing on a page without a server asks for one; with one, forms go to it alone."""
    for name, text in rendered.items():
        forms = [found for tag, found in Page(text).elements if tag == "form"]

        assert not (static.static and forms), name
        assert all((found["action"] or "").startswith("/rounds/") for found in forms), name
