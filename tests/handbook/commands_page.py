"""docs/commands.md, made from the command line itself: python -m tests.handbook.commands_page

`make docs` writes it, and a test holds it to what `--help` prints.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from seedlock.cli import _parser
from tests.interpreter import REPOSITORY

PAGE = REPOSITORY / "docs" / "commands.md"

WIDTH = "100"

BEGINNING = """\
# Commands

What `--help` prints for each command; `make docs` writes this page from the command line itself.
`python -m seedlock` is the same as `seedlock`. Messages and their cures stand in
[messages.md](messages.md), variables in [variables.md](variables.md).
"""


def page() -> str:
    """Return the page's text."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH  # argparse asks for the terminal's width
    try:
        parts = [BEGINNING, *sections(_parser(), level=2)]
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(parts)


def sections(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Yield a section per command, those below it after it.

    Args:
        parser: the command's.
        level: of its heading; commands of commands have the next one.
    """
    yield f"{'#' * level} {parser.prog}\n\n```text\n{parser.format_help().rstrip()}\n```\n"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below = level if level == 2 and parser.prog == "seedlock" else level + 1
            for each in action.choices.values():
                yield from sections(each, below)


if __name__ == "__main__":
    sys.exit(PAGE.write_text(page()) and None)
