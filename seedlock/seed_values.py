"""What a seed that user code gives is: which seeds are one, and which were measured, not chosen."""

import os
import time

LONG = 2048
"""Bits of the longest integer that stands in a path in decimal digits."""

SMALL = 10_000
"""First process id that is taken for one without asking the source."""

COMMON = 10**8
"""First number that nobody is likely to write down as a seed: dates (20240131) are below."""

DAY = 86_400 * 10**9
MOMENT = 60 * 10**9
PARTS = tuple(10**digits for digits in range(10))
CUT = {10**6: MOMENT, 10**3: 10**9, 1: 2 * 10**6}
"""Unit of a clock that is cut to 32 bits -> how long ago it may have been read. Nanoseconds."""


def canonical(given: object) -> tuple[str | int, ...]:
    """Return a seed of any type as a path. Equal paths, equal streams:

    - an integer, a truth value and an integer scalar of any library are the integer they stand
      for, so 1, True and numpy.int64(1) are one seed;
    - 1, 1.0, "1" and b"1" are four, as are "" and b"";
    - bytes, bytearray and memoryview with equal bytes are one;
    - a list, a tuple, a range and an array with equal parts are one; [1], 1 and [[1]] are three;
    - anything else is its type's name and its repr().
    """
    if isinstance(given, str):
        return ("text", given)
    if isinstance(given, (bytes, bytearray, memoryview)):
        return ("bytes", bytes(given).hex())
    tolist = getattr(given, "tolist", None)  # arrays, tensors and their scalars
    if tolist is not None:
        given = tolist()
    index = getattr(type(given), "__index__", None)
    if index is not None:
        try:
            number = int(index(given))
        except TypeError:
            pass  # an array has the method, whatever its shape
        else:
            # Python may refuse to write larger ones in decimal digits.
            return (number,) if number.bit_length() <= LONG else ("hex", f"{number:x}")
    if isinstance(given, (list, tuple, range)):
        path: list[str | int] = ["list", len(given)]
        for part in given:
            path += canonical(part)
        return tuple(path)
    return ("object", type(given).__name__, repr(given))


def looks_measured(given: object, file: str = "") -> str:
    """Tell whether a seed looks like a clock's time or this process's id; empty if not.

    Times are recognised in whole and parts of seconds down to 1e-9, and cut to 32 or 31 bits
    where the clock was read a moment ago: the finer the unit, the shorter that moment, so that
    an arbitrary number is taken for a time once in a thousand.

    Args:
        given: the seed.
        file: the author's file that gives it. Small process ids, common in containers and as
            seeds, count only where it mentions them.
    """
    if isinstance(given, float):
        number = int(given) if abs(given) < 1e30 else 0
    else:
        parts = canonical(given)
        if len(parts) > 1 or isinstance(parts[0], str):
            return ""
        number = parts[0]
    if number in (os.getpid(), os.getppid()) and (number >= SMALL or _mentions(file, "getp")):
        return "a process id"
    now = time.time_ns()
    if any(abs(number - now // part) < DAY // part for part in PARTS):
        return "a clock"
    up = time.monotonic_ns()
    if any(0 <= up // part - number < MOMENT // part for part in PARTS if number >= COMMON):
        return "a clock"
    if number >= COMMON:
        for part, moment in CUT.items():
            for bits in (32, 31):
                if number < 2**bits and (now // part - number) % 2**bits < moment // part:
                    return "a clock"
    return ""


def _mentions(file: str, word: str) -> bool:
    from linecache import getlines  # costs a start 2 ms

    return any(word in line for line in getlines(file))
