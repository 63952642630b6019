"""What pages need of the machine."""

from __future__ import annotations

import pytest

from tests.evaluation.conftest import bwrap_fixture  # noqa: F401 - the fixture `bwrap`
from tests.handbook.page import read
from tests.handbook.shell import typed_here


@pytest.fixture(autouse=True)
def _sandbox(request: pytest.FixtureRequest) -> None:
    """bubblewrap, for a page whose runs are sealed by it."""
    page = getattr(request.node, "callspec", None) and request.node.callspec.params.get("page")
    if request.node.name.startswith("test_commands_end") and page is not None:
        commands = [command.text for block in typed_here(read(page)) for command in block.commands]
        if any(" --accept " in text for text in commands):
            request.getfixturevalue("bwrap")
