"""A page that shows a file of the repository shows it as it is.

A comment directly above the block names it: `<!-- file: examples/x/submission.toml -->`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.handbook.page import name_of, pages
from tests.interpreter import REPOSITORY

SHOWN = re.compile(r"^<!-- file: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(text: str) -> list[tuple[str, str]]:
    """Return the files that a page names, with what it shows of each."""
    found = SHOWN.findall(text)
    assert len(found) == text.count("<!-- file:"), "no block begins below a comment that names one"
    return found


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_is_shown_is_the_file(page: Path) -> None:
    """Whole and to the byte."""
    for name, block in shown(page.read_text()):
        assert block == (REPOSITORY / name).read_text(), name


def test_another_content_is_found() -> None:
    """Positive control: a changed line, and a comment without a block."""
    text = "<!-- file: version-lock/day -->\n```text\n2026-11-20\n```\n"
    ((name, block),) = shown(text.replace("2026", "1999"))

    assert (name, block) == ("version-lock/day", "1999-11-20\n")
    with pytest.raises(AssertionError, match="no block begins"):
        shown(text.replace("-->\n", "-->\n\n"))
