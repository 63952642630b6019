"""What the handbook tells its readers to type where there is a container engine: its blocks that
say `in=image`. The others are typed by tests/handbook."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.handbook import shell
from tests.handbook.page import Block, name_of, pages, read
from tests.image import engine


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are typed here."""
    return [block for block in read(page) if block.image]


@pytest.mark.recipe("cpu")
@pytest.mark.parametrize("page", [each for each in pages() if blocks(each)], ids=name_of)
def test_commands_end_as_the_page_says(image: str, page: Path, tmp_path: Path) -> None:
    """Each command, in order, in one shell in one folder, with conference/repro-base there."""
    if image != engine.IMAGE:
        pytest.skip(f"the pages say {engine.IMAGE}, and the tests were given another image")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "docker").symlink_to(engine.client())  # perhaps not the first on PATH

    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    failure = shell.run(blocks(page), tmp_path, PATH=path, DOCKER=engine.client())

    assert failure is None, failure.text(name_of(page))
