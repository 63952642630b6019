"""Commands in the middle of a sentence or a table are not typed, but they and their options have
to be there."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from seedlock.cli import _parser
from tests.handbook.page import name_of, pages

SPAN = re.compile(r"`(seedlock [^`\n]+)`")

LABEL = re.compile(r"seedlock [a-z ]+ \d+")
"""What a hash begins with, as `seedlock round commitment 1`, and no command."""


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands below a parser by their names."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def wrong(span: str, parser: argparse.ArgumentParser) -> str | None:
    """Return what is wrong with a command line in a sentence; None: nothing.

    Args:
        span: as `seedlock data add NAME --licence L`; `...` and words in brackets may stand in it.
        parser: of the command line.
    """
    words = span.replace("[", " ").replace("]", " ").replace("|", " ")
    try:
        given = shlex.split(words)[1:]
    except ValueError:
        given = words.split()[1:]
    here = parser
    at = 0
    while (below := commands(here)) and at < len(given):
        word = given[at]
        if word.startswith("-") or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        if word not in below:
            return f"there is no command {word!r} in {here.prog!r}"
        here = below[word]
        at += 1
    for word in given[at:]:
        if word == "--":
            break
        option = word.partition("=")[0].rstrip(".,;:…")
        known = here._option_string_actions
        if option.startswith("--") and option not in known:
            return f"{here.prog!r} has no option {option!r}"
    return None


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_in_sentences_are_there(page: Path) -> None:
    """Each command of seedlock's that a page names, and each of its options."""
    parser = _parser()
    text = page.read_text()

    for found in SPAN.finditer(text):
        problem = None if LABEL.fullmatch(found[1]) else wrong(found[1], parser)
        line = text.count("\n", 0, found.start()) + 1
        assert problem is None, f"{name_of(page)}:{line}: `{found[1]}`: {problem}"


@pytest.mark.parametrize(
    "span",
    ["seedlock chekc", "seedlock data remove", "seedlock run --sead 7", "seedlock round open --no"],
)
def test_a_wrong_one_is_found(span: str) -> None:
    """Positive controls: a command, one below a command, and options that are not there."""
    assert wrong(span, _parser())


@pytest.mark.parametrize(
    "span",
    [
        "seedlock run --seed 7 -- python train.py --out {output}", "seedlock data add NAME FROM",
        "seedlock run --record FILE --sealed [--container IMAGE]", "seedlock --help",
        "seedlock ledger verify [LEDGER] [--head SEQUENCE:HASH …] [--json]", "seedlock round ...",
    ],
)  # fmt: skip
def test_a_right_one_is_taken(span: str) -> None:
    """Options of the program behind `--` are its own."""
    assert wrong(span, _parser()) is None
