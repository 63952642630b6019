"""NumPy: the state of the generator behind `numpy.random.rand()`."""

from __future__ import annotations

import sys

from seedlock.tracers.base import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace


class NumpyTracer(Tracer):
    """Read the state of the global RandomState."""

    name = "numpy"
    entrances = ("numpy.random",)

    def intercept(self, module: Any, trace: Trace) -> None:
        """Nothing: seeds are noted where they are chosen, and NumPy has no steps."""

    def generators(self) -> object:
        """Return the words of the Mersenne Twister and the position in them."""
        return sys.modules["numpy.random"].get_state(legacy=False)


tracer = NumpyTracer()
