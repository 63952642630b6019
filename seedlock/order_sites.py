"""What a report says of the lines that take an order from hashes.

Lines are found in the text, when the report is finished, whether they ran or not
(seedlock/hash_order.py); and by what was counted (seedlock/order_counts.py), also those whose sets
the text does not tell.
"""

from __future__ import annotations

import ast
import sys

from seedlock.callers import GENERATED
from seedlock.hash_order import spots
from seedlock.order_instructions import Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seedlock.hash_order import Place
    from seedlock.order_instructions import TakenBy

    Sites = list[tuple[Place, str, int | None]]

LOCKED, TEXT, OPEN = "locked", "text locked", "open"
"""What is done about these orders: PYTHONHASHSEED is derived and addresses are not random; only the
first; or neither."""

MOST = 1 << 20
"""Bytes of source that are looked at in one process: about 30000 lines, in about a second."""

COUNTED = "since seedlock began in this process, in every thread"
NOT_COUNTED = "not counted: types and instructions are known of CPython 3.11 only"
_UNCOUNTED = ("id",)
"""What no function is put in the place of."""


def listed(
    given: Iterable[str], policy: str, taken: Mapping[str, TakenBy] | None = None
) -> dict[str, object]:
    """Return the `sites` in files, each with `where`, `function`, `policy`, the text of the `line`
    and how many `times` an order was taken there, None where that is not known; how many `files`
    were looked at; how many `more` were not: past `MOST` bytes, unreadable, or no Python; and what
    was `counted`, or why not.

    Args:
        given: paths of files that are listed whether their code ran or not.
        policy: what locks the order, one of the constants above.
        taken: what code of each file took orders, and how often, those that are not given too;
            None where nothing was counted.
    """
    sites: list[dict[str, object]] = []
    files, more, left = 0, 0, MOST
    whole = dict.fromkeys(given)
    for file in [*whole, *(each for each in taken or () if each not in whole)]:
        found = _look(file, left, None if taken is None else taken.get(file, []))
        if found is None:
            more += 1
            continue
        files += 1
        left -= found[0]
        sites += [
            {
                "where": f"{file}:{place.line}",
                "function": place.function,
                "line": line,
                "policy": policy,
                "times": times,
            }
            for place, line, times in found[1]
            if file in whole or times != 0
        ]
    counted = NOT_COUNTED if taken is None else COUNTED
    compilers = _compilers()
    if taken is not None and compilers:
        counted += f"; not what {' and '.join(compilers)} went through while compiling"
    return {"sites": sites, "files": files, "more": more, "counted": counted}


def _compilers() -> list[str]:
    """Return what compiled functions of this process: it reads their text or instructions, and goes
    through sets in their place."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    traced = any(getattr(dynamo, "counters", {}).values())
    converted = any(GENERATED in name for name in list(sys.modules))
    return [*(["torch.compile"] if traced else ()), *(["tf.function"] if converted else ())]


def _look(file: str, left: int, taken: TakenBy | None) -> tuple[int, Sites] | None:
    try:
        with open(file, "rb") as source:
            raw = source.read(left + 1)
        if len(raw) > left:
            return None
        candidates = spots(ast.parse(raw), bool(taken))
        counts: Mapping[Place, int] = {}
        foreign = taken is None
        if taken:
            found = Found(raw, file, candidates, taken)
            counts, foreign = found.times, found.foreign
        lines = raw.splitlines()
        return len(raw), [
            (
                place,
                lines[place.line - 1].decode("utf-8", "replace").strip(),
                None if foreign or place.function in _UNCOUNTED else counts.get(place, 0),
            )
            for place in sorted({spot.place for spot in candidates if spot.known} | {*counts})
        ]
    except (OSError, SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
