"""How often the author's code took an order from hashes, counted where it happens.

Going through a set asks its type for an iterator, whoever does it, a loop or C code: so
`set.__iter__` and `frozenset.__iter__` are replaced, and with them what reads an order without an
iterator: `set.pop`, `dict.fromkeys` (Objects/dictobject.c, CPython 3.11) and `hash` itself. What
is counted belongs to the instruction that the innermost Python frame is at, which
`seedlock.order_instructions` finds in the text afterwards. Libraries' own are let through.

Only a process that writes a report has these functions (docs/determinism.md has their price).
"""

from __future__ import annotations

import builtins
import sys
from collections import defaultdict
from itertools import count, islice

from seedlock.callers import is_author
from seedlock.slots import replace_special, restore_special
from seedlock.stand_ins import dress, mark, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any, TypeVar

    F = TypeVar("F")
    Taken = tuple[str, int]
    """What took an order, empty for an iterator; and the instruction's offset in bytes."""

KNOWN = sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 11)
"""Whether this interpreter's types and instructions are those that are known here."""

_NUMBERS = frozenset({int, float, complex, bool})
_FEW = 64
"""A set whose first so many members are numbers is one of numbers: its order follows from them."""

_own: dict[str, bool] = {}
"""By the file of a code object: is it the author's?"""
_codes: dict[int, tuple[CodeType, dict[Taken, count[int]]]] = {}
"""Code objects of the author's by number, which stays theirs as they are held here."""
_iterators: dict[type, Callable[[Any], Any]] = {}
_undo: list[Callable[[], None]] = []


def begin() -> None:
    """Count in this process from now on, in every thread; in a forked child anew."""
    _codes.clear()
    if not KNOWN or _undo:
        return
    for kind in (set, frozenset):
        _count_iterators(kind)
    _put(set, "pop", _pop)
    _put(dict, "fromkeys", _fromkeys)
    _put(builtins, "hash", _hash)


def end() -> None:
    """Put everything back: the interpreter takes its types apart after this."""
    while _undo:
        _undo.pop()()


def taken() -> dict[str, list[tuple[CodeType, dict[Taken, int]]]] | None:
    """Return by file the code objects of the author's that took orders, with how often each of
    their instructions did; None where that is not counted."""
    if not _undo:
        return None
    files: dict[str, list[tuple[CodeType, dict[Taken, int]]]] = {}
    for code, counters in list(_codes.values()):
        counts = {key: int(n.__reduce__()[1][0]) for key, n in list(counters.items())}
        files.setdefault(code.co_filename, []).append((code, counts))
    return files


def _caller() -> FrameType | None:
    """Return the frame that called the function which calls this, if it is the author's."""
    try:
        frame = sys._getframe(2)
    except ValueError:
        return None  # C code in a thread of its own
    file = frame.f_code.co_filename
    own = _own.get(file)
    if own is None:
        own = _own[file] = is_author(file)
    return frame if own else None


def _note(frame: FrameType, what: str) -> None:
    code = frame.f_code
    counters = _codes.get(id(code))
    if counters is None:
        counters = _codes.setdefault(id(code), (code, defaultdict(count)))
    next(counters[1][what, frame.f_lasti])  # at once, whichever thread comes next


def _has_order(members: Any, iterate: Callable[[Any], Any]) -> bool:
    """Tell whether a set has an order that hashes decide.

    Args:
        members: the set.
        iterate: how its type goes through it, whatever a class of the author's makes of that.
    """
    if len(members) < 2:
        return False
    for first in iterate(members):
        if type(first) not in _NUMBERS:
            return True
        break
    return not _NUMBERS.issuperset(map(type, islice(iterate(members), _FEW)))


def _put(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    original = vars(owner)[name]
    put(owner, name, make(original))
    _undo.append(lambda: put(owner, name, original))


def _dressed(replacement: F, original: object) -> F:
    # Pickled by this name, as the original is by another way.
    replacement.__module__ = "builtins"
    return mark(dress(replacement, original))


def _count_iterators(kind: type) -> None:
    original = _iterators[kind] = vars(kind)["__iter__"]
    getframe, author_files, has_order, note = sys._getframe, _own, _has_order, _note

    def __iter__(self: Any) -> Any:  # noqa: N807
        # As `_caller`, at a third of its price: libraries come here more often than the author.
        try:
            frame = getframe(1)
        except ValueError:
            return original(self)
        own = author_files.get(frame.f_code.co_filename)
        if (own or (own is None and _caller())) and has_order(self, original):
            note(frame, "")
        return original(self)

    before = replace_special(kind, "__iter__", _dressed(__iter__, original))
    _undo.append(lambda: restore_special(kind, "__iter__", original, before))


def _pop(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    iterate = _iterators[set]

    def pop(self: Any, /) -> Any:
        frame = _caller()
        if frame is not None and _has_order(self, iterate):
            _note(frame, "pop")
        return original(self)

    return _dressed(pop, original)


def _fromkeys(original: Any) -> Any:
    of_dict = original.__get__(None, dict)

    def fromkeys(cls: Any, iterable: Any, value: Any = None, /) -> Any:
        if isinstance(iterable, (set, frozenset)):
            frame = _caller()
            kind = set if isinstance(iterable, set) else frozenset
            if frame is not None and _has_order(iterable, _iterators[kind]):
                _note(frame, "fromkeys")
        if cls is dict:
            return of_dict(iterable, value)
        return original.__get__(None, cls)(iterable, value)

    return classmethod(_dressed(fromkeys, original))


def _hash(original: Callable[[Any], int]) -> Callable[[Any], int]:
    def hash(value: Any, /) -> int:  # noqa: A001
        if type(value) not in _NUMBERS:
            frame = _caller()
            if frame is not None and frame.f_code.co_name != "__hash__":  # as it should be
                _note(frame, "hash")
        return original(value)

    return _dressed(hash, original)
