"""`seedlock board`: the leaderboard of a round, shown, published, exported and verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from seedlock.leaderboard import (
    export_command,
    fetch_command,
    publish_command,
    replayed_command,
    show_command,
    token_command,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


class Part(Protocol):
    """A module with one of its commands."""

    def add(self, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the command to the command line."""


PARTS: Sequence[Part] = (
    show_command, publish_command, fetch_command, replayed_command, export_command, token_command,
)  # fmt: skip


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its parts to the command line."""
    parser = subcommands.add_parser(
        "board",
        help="show, publish, export and verify the leaderboard of a round",
        description="Show, publish, export and verify the leaderboard of a round.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for part in PARTS:
        part.add(commands)
