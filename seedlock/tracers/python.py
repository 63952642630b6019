"""Python's own generator: the state of `random`."""

from __future__ import annotations

import sys
from array import array

from seedlock.tracers.base import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace


class PythonTracer(Tracer):
    """Read the state of the generator behind `random.random()`."""

    name = "python"
    entrances = ("random",)

    def intercept(self, module: Any, trace: Trace) -> None:
        """Nothing: seeds are noted where they are chosen."""

    def generators(self) -> object:
        """Return the 625 words of the Mersenne Twister and the pair's second half."""
        _, words, second = sys.modules["random"].getstate()
        return array("L", words).tobytes(), second


tracer = PythonTracer()
