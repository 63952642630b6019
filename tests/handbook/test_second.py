"""What these pages tell their readers to type works: see shares.py for which they are."""

from __future__ import annotations

from pathlib import Path

from tests.handbook import shell
from tests.handbook.shares import share


@share("second")
def test_commands_end_as_the_page_says(page: Path, tmp_path: Path) -> None:
    """Each command of the page, in order, in one shell in an empty folder."""
    shell.check(page, tmp_path)
