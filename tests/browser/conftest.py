"""A browser, and servers on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that renews the documents' pictures."""
    parser.addoption(
        "--screenshots", action="store_true", help="write docs/images/*.png from these tests"
    )


@pytest.fixture(scope="session", name="browser")
def _browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium.running() as browser:
        yield browser
