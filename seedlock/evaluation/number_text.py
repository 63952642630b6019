"""Numbers of results as people read them: no more digits than their spread says."""

from __future__ import annotations

import math

MOST_DECIMALS = 8
LARGEST = 1e7
"""Numbers from here on, or with more decimals, are written with an exponent."""

SECONDS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
"""Units of time, the largest first: its seconds and name, those of the one below."""


def plain(value: float) -> str:
    """Return a single number with at most six significant digits."""
    return f"{value:.6g}"


def with_spread(value: float, half: float | None) -> tuple[str, str | None]:
    """Return a number and the half-width of its interval, both to the same decimal.

    The half-width has two significant digits, as the Guide to the Expression of Uncertainty in
    Measurement has it (JCGM 100:2008, 7.2.6).

    Args:
        value: the number, finite.
        half: of its interval, 0 or more; None without one.
    """
    if half is None or not math.isfinite(half):
        return plain(value), None
    if half == 0:
        return plain(value), "0"
    exponent = int(f"{half:.1e}".partition("e")[2])  # of the rounded one: 0.0996 is written 0.10
    decimals = 1 - exponent
    if decimals > MOST_DECIMALS or max(abs(value), half) >= LARGEST:
        return _exponential(value, half, exponent)
    if decimals < 0:
        decimals = 0
    return f"{value:.{decimals}f}", f"{half:.{decimals}f}"


def at(value: float, like: str) -> str:
    """Return a number with as many decimals as another's text, or plainly where that has none."""
    if "e" in like or "." not in like:
        return plain(value)
    return f"{value:.{len(like.split('.')[1])}f}"


def duration(seconds: float) -> str:
    """Return seconds in the two units that fit, as `1 h 02 min` or `12.3 s`."""
    if seconds < 9.95:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    for size, name, below, lower in SECONDS:
        whole, rest = divmod(round(seconds / below), size // below)
        if whole:
            return f"{whole} {name} {rest:02d} {lower}"
    return "1 min 00 s"


def size(count: int) -> str:
    """Return a number of bytes in the largest binary unit that divides it."""
    for power, name in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count and count % (1 << power) == 0:
            return f"{count >> power} {name}"
    return f"{count} bytes"


def span(first: int, last: int) -> str:
    """Return a range of whole numbers: `2` or `2 to 4`."""
    return str(first) if first == last else f"{first} to {last}"


def _exponential(value: float, half: float, exponent: int) -> tuple[str, str]:
    digits = 1
    if value:
        digits = max(1, min(12, math.floor(math.log10(abs(value))) - exponent + 1))
    return f"{value:.{digits}e}", f"{half:.1e}"
