"""Blocks of a process's work whose results are part of a larger one, and ways out of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seedlock.trace import Trace


class Nested:
    """A block of `Trace.nested`. Its value tells whether it is the outermost one.

    Args:
        trace: the trace whose results do not count in it.
    """

    __slots__ = ("_trace",)

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> bool:
        if self._trace.idle():
            return False
        self._trace.depth += 1
        return self._trace.depth == 1

    def __exit__(self, *problem: object) -> None:
        if not self._trace.idle() and self._trace.depth:  # 0 in a child forked in the block
            self._trace.depth -= 1


class Outside:
    """A block of `Trace.outside`: a batch that is read within a step is an event of its own.

    Args:
        trace: the trace whose results count in it, however many blocks of `Nested` are around it.
    """

    __slots__ = ("_trace", "_depth")

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._depth = 0

    def __enter__(self) -> None:
        if not self._trace.idle():
            self._depth, self._trace.depth = self._trace.depth, 0

    def __exit__(self, *problem: object) -> None:
        if not self._trace.idle():
            self._trace.depth = self._depth
