"""Filled-in checklists as one HTML page."""

from __future__ import annotations

from typing import Any

from seedlock import __version__
from seedlock.evaluation.checklists.sheet_text import SAID, headline, left_to_author, why
from seedlock.evaluation.pages import render


def page(filled: dict[str, Any]) -> str:
    """Return the page."""
    return render(
        "checklists.html",
        {"headline": headline, "left_to_author": left_to_author, "why": why},
        filled=filled,
        said=SAID,
        seedlock=__version__,
    )
