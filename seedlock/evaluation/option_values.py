"""Values of options that several commands take, read in one way.

Imports nothing: the command line loads it before it knows which command is meant.
"""

from __future__ import annotations


def seconds(given: str) -> float | None:
    """Return the number of seconds that a text says; None where it is no number above 0."""
    try:
        number = float(given)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
