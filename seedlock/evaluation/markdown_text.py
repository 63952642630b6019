"""Text of strangers in a Markdown document: it is shown, and is never markup."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"([\\`*_\[\]<>|])")
"""What begins markup within a line (CommonMark 0.31, "Inlines"), and ends a cell of a table."""


def plain(text: str) -> str:
    """Return a text as one line that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
