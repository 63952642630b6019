"""Python's own generator: the state of `random`."""

from __future__ import annotations

import sys
from array import array

from seedlock.tracers.base import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

_STATE = 4 + 624 * 4
"""Bytes of the position and of the words of CPython's Mersenne Twister (_randommodule.c,
RandomObject), which lie behind the object's head."""


class PythonTracer(Tracer):
    """Read the state of the generator behind `random.random()`."""

    name = "python"
    entrances = ("random",)

    def __init__(self) -> None:
        self._in_memory = False

    def intercept(self, module: Any, trace: Trace) -> None:
        """See how the state can be read; seeds are noted where they are chosen."""
        hidden = module._inst
        _, words, _ = hidden.getstate()
        expected = array("I", [words[-1], *words[:-1]]).tobytes()
        self._in_memory = _read(hidden) == expected

    def generators(self) -> object:
        """Return the position, the 624 words and the pair's second half, as they lie in memory:
        getstate makes 625 objects of them, 20 microseconds at each step."""
        hidden: Any = sys.modules["random"]._inst
        if self._in_memory:
            return _read(hidden), hidden.gauss_next
        _, words, second = hidden.getstate()
        return array("I", [words[-1], *words[:-1]]).tobytes(), second


def _read(hidden: Any) -> bytes:
    import ctypes

    return ctypes.string_at(id(hidden) + object.__basicsize__, _STATE)


tracer = PythonTracer()
