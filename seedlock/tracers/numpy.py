"""NumPy: the state of the generator behind `numpy.random.rand()`."""

from __future__ import annotations

import sys

from seedlock.tracers.base import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

_MERSENNE = 624 * 4 + 4
"""Bytes of the words of a Mersenne Twister and of the position in them (NumPy 1.23 to 2.4,
random/src/mt19937/mt19937.h)."""


class NumpyTracer(Tracer):
    """Read the state of the global RandomState."""

    name = "numpy"
    entrances = ("numpy.random",)

    def intercept(self, module: Any, trace: Trace) -> None:
        """Nothing: seeds are noted where they are chosen, and NumPy has no steps."""

    def generators(self) -> object:
        """Return the words of the Mersenne Twister and the position in them, as they lie in
        memory: get_state takes 60 microseconds, a tenth of a small network's step."""
        import ctypes

        module: Any = sys.modules["numpy.random"]
        used = module.mtrand._rand._bit_generator
        if type(used) is not module.MT19937:
            return module.get_state(legacy=False)  # of another kind: set_bit_generator
        return ctypes.string_at(used.ctypes.state_address, _MERSENNE)


tracer = NumpyTracer()
