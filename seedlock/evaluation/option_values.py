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


def whole(given: str, least: int, most: int) -> int | None:
    """Return the whole number that the digits 0 to 9 of a text say; None where it is none of them.

    Python refuses numbers of more than 4300 digits with an error of its own: how many there are is
    looked at first.

    Args:
        given: the text.
        least, most: the range, 0 or more.
    """
    if not (given.isascii() and given.isdecimal()):
        return None
    digits = given.lstrip("0") or "0"
    number = int(digits) if len(digits) <= len(str(most)) else most + 1
    return number if least <= number <= most else None
