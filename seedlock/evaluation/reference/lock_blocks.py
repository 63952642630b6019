"""What the page about a lock is made of, whatever it is written as."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"
"""What stands in a table where there is nothing to tell."""


class Table(NamedTuple):
    """A table.

    Attributes:
        head: names of the columns.
        rows: as many cells each.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Lines(NamedTuple):
    """Lines that are shown as they are."""

    lines: Sequence[str]


class Picture(NamedTuple):
    """Where a page that can show it has the picture of a task."""

    task: str


Block = str | Table | Lines | Picture
"""A paragraph, or one of the others."""
