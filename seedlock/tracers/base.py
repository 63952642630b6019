"""What every tracer is: hooks at a library's steps, and at its operations while they are wanted."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod

from seedlock.registry import TRACERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.trace import Trace


class Tracer(ABC):
    """Write what one library does into the trace, without a change to what it computes.

    A subclass sets `name` (its key in registry.TRACERS and in the events' `rng`) and `entrances`,
    the modules after whose import `intercept` is called with each.
    """

    name: str
    entrances: tuple[str, ...]

    @abstractmethod
    def intercept(self, module: Any, trace: Trace) -> None:
        """Put hooks at what the module offers: optimizer steps, loaders, compiled functions.

        Args:
            module: each of `entrances`, just imported, before the adapter's own hook on it.
            trace: where to note it: `result`, `finished_step`, `saw_loss`, `nested`.
        """

    def generators(self) -> object:
        """Return the state of the library's main generators for `Digester.of`, quickly read
        (microseconds); None where it can't be read."""
        return None

    def operations(self, trace: Trace, on: bool) -> None:
        """Begin or stop noting each operation (`trace.result("op", ...)`), at mode `op`.

        Called with the value that holds already, too. A library without operations has none.
        """


def install(trace: Trace, wait: Callable[[str, Callable[[Any], None]], None]) -> None:
    """Wait for the libraries that can be traced.

    Args:
        trace: where to write.
        wait: calls back with a module once that is imported, at once if it is.
    """
    for name in (*TRACERS, "orders") if trace.mode == "op" else TRACERS:
        __import__(f"seedlock.tracers.{name}")
        tracer: Tracer = sys.modules[f"seedlock.tracers.{name}"].tracer
        for entrance in tracer.entrances:
            wait(entrance, _hook(tracer, trace))


def _hook(tracer: Tracer, trace: Trace) -> Callable[[Any], None]:
    def hook(module: Any) -> None:
        tracer.intercept(module, trace)
        trace.join(tracer)

    return hook
