"""The pages of reference are complete: commands.md and variables.md have what the code has."""

from __future__ import annotations

import re

from seedlock import settings
from tests.handbook import commands_page
from tests.interpreter import REPOSITORY, python

CHOICES = {
    settings.LEVEL: settings.LEVELS,
    settings.STREAMS: settings.STREAM_MODES,
    settings.USER_SEEDS: settings.USER_SEED_POLICIES,
    settings.ENTROPY: settings.ENTROPY_MODES,
    settings.ENTROPY_ALLOW: settings.ENTROPY_ALLOWED,
    settings.TF32: settings.TF32_MODES,
    settings.LOCK: settings.LOCK_MODES,
    settings.TRACE: settings.TRACE_MODES,
    settings.READS: ("list",),
}


def test_every_command_is_shown_as_it_says_itself() -> None:
    """docs/commands.md is what --help prints; `make docs` renews it."""
    assert commands_page.PAGE.read_text() == commands_page.page(), "make docs renews commands.md"


def test_what_the_page_shows_is_what_help_prints() -> None:
    """Seen from outside, for a command of a command."""
    said = python("-m", "seedlock", "data", "add", "--help", COLUMNS=commands_page.WIDTH)

    assert f"```text\n{said.out.rstrip()}\n```" in commands_page.PAGE.read_text()


def rows() -> dict[str, list[str]]:
    """Return the cells of each row of docs/variables.md by the variable's name."""
    text = (REPOSITORY / "docs" / "variables.md").read_text()
    lines = re.findall(r"^\| `(_?[A-Z][A-Z0-9_]+)` \| (.*) \|$", text, re.MULTILINE)
    return {name: rest.split(" | ") for name, rest in lines}


def test_every_variable_has_a_row_and_no_other() -> None:
    """Names in the code of both halves, the entrypoint, the image's recipes and the examples."""
    places = [
        *REPOSITORY.glob("seedlock/**/*.py"), *REPOSITORY.glob("entrypoint/*"),
        *REPOSITORY.glob("Dockerfile*"), *REPOSITORY.glob("examples/author-image/Dockerfile*"),
    ]  # fmt: skip
    text = "\n".join(path.read_text() for path in places)
    used = set(re.findall(r"\b(?:REPRO|_SEEDLOCK)_[A-Z0-9_]*[A-Z0-9]\b", text))

    assert rows().keys() == used


def test_every_value_of_a_variable_is_in_its_row() -> None:
    """Those that may be chosen, in their order, and no others."""
    shown = rows()

    for name, values in CHOICES.items():
        assert tuple(re.findall(r"`([a-z]+)`", shown[name][0])) == values, name
