"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import debian

PACKAGES = ("chromium", "fonts-liberation2")
"""Without a font there is nothing to see."""


@contextmanager
def running() -> Iterator[Browser]:
    """A headless browser."""
    program = debian.installed(lambda: shutil.which("chromium"), *PACKAGES)
    if program is None:
        pytest.skip("Chromium is not installed, and this is not root on Debian")
    # Its own sandbox refuses root; what it opens is our own pages.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()
