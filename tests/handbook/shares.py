"""Which of the test files runs which pages: pytest's processes take files, and share the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.handbook.page import BadPage, name_of, pages, read
from tests.handbook.shell import typed_here

SHARES: dict[str, Callable[[str], bool]] = {
    "guides": lambda name: name.startswith("docs/guides/"),
    "first": lambda name: name.startswith("docs/") and name.count("/") == 1 and name[5] < "n",
    "second": lambda name: name.startswith("docs/") and name.count("/") == 1 and name[5] >= "n",
    "readmes": lambda name: not name.startswith("docs/"),
}
"""Conditions on a page's name; each page meets one of them."""


def share(name: str) -> pytest.MarkDecorator:
    """Return the parameters of a test that gets the pages of a share as `page`."""
    found = [page for page in pages() if SHARES[name](name_of(page)) and to_run(page)]
    return pytest.mark.parametrize("page", found, ids=name_of)


def to_run(page: Path) -> bool:
    """Tell whether a page has commands to be typed here. One that can't be read is for its test."""
    try:
        return bool(typed_here(read(page)))
    except BadPage:
        return True
