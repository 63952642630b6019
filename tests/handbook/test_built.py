"""The handbook builds without a warning, its links lead somewhere, and its pages ask nobody."""

from __future__ import annotations

import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.handbook.page import pages
from tests.interpreter import REPOSITORY, Done, run

CODE = re.compile(r"```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def built(source: Path, folder: Path, check: bool = True) -> Done:
    """Build as `make docs` does."""
    (line,) = re.findall(r"^\t@\$\(BIN\)/python -m (sphinx .*)$", _makefile(), re.MULTILINE)
    words = line.replace("build/", f"{folder}/").split()
    return run([sys.executable, "-m", *words], cwd=source, check=check)


@pytest.fixture(scope="module", name="html")
def _html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages. A warning ends the build with status 1, and this with it."""
    folder = tmp_path_factory.mktemp("handbook")
    built(REPOSITORY, folder)
    return folder / "docs"


class Asked(HTMLParser):
    """What a browser fetches to show a page, and where links of it lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of addresses."""
        for name, value in attrs:
            if value is not None and name in ("src", "href", "srcset", "data", "poster", "action"):
                (self.links if tag == "a" else self.fetched).append(value)


def test_every_page_is_built(html: Path) -> None:
    """One of HTML for each of Markdown; a page that no list of the index has is a warning."""
    for page in pages():
        assert (html / page.relative_to(REPOSITORY).with_suffix(".html")).is_file(), page


def test_no_page_asks_anybody(html: Path) -> None:
    """Neither fonts nor scripts, styles or pictures come from elsewhere."""
    elsewhere = re.compile(r"(https?:)?//")
    for page in html.rglob("*.html"):
        for address in Asked(page.read_text()).fetched:
            assert not elsewhere.match(address), f"{page.name}: {address}"
    for style in html.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import) *['\"]?([^'\")]+)", style.read_text())
        assert not [each for each in addresses if elsewhere.match(each)], style


def test_addresses_are_well_formed(html: Path) -> None:
    """Links lead to pages, or by https to others; whether these answer `make docs-links` asks."""
    for page in html.rglob("*.html"):
        for address in Asked(page.read_text()).links:
            outside = re.match(r"[a-z]+:", address)
            assert not outside or re.fullmatch(
                r"https://[a-z0-9][a-z0-9.-]*\.[a-z]{2,}(/[^\s\"'<>]*)?", address
            ), f"{page.name}: {address}"


def test_a_build_finds_what_is_wrong(tmp_path: Path) -> None:
    """Positive controls: a link to no file, one to no heading, and a page that no list has."""
    (tmp_path / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs" / "conf.py", tmp_path / "docs")
    (tmp_path / "docs" / "index.md").write_text("# Index\n\n## Part\n- [A](a.md): a page\n")
    (tmp_path / "docs" / "a.md").write_text("# A\n[gone](gone.md) [none](index.md#no-heading)\n")
    (tmp_path / "docs" / "alone.md").write_text("# Alone\n")

    done = built(tmp_path, tmp_path / "made", check=False)

    assert done.status == 1
    assert "gone.md" in done.err and "no-heading" in done.err and "alone.md" in done.err


def _makefile() -> str:
    return (REPOSITORY / "Makefile").read_text()
