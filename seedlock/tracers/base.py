"""What every tracer is: hooks at a library's steps, and at its operations while they are wanted."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.trace import Trace

TRACERS: dict[str, tuple[str, ...]] = {
    "python": ("random",),
    "jax": ("jax", "optax"),
    **{name: (name,) for name in ("numpy", "torch", "tensorflow", "keras", "mxnet", "sklearn")},
}
"""Libraries whose steps and operations a trace can hold: modules of this package, and the packages
in which their hooks are."""


class Tracer(ABC):
    """Write what one library does into the trace, without a change to what it computes.

    A subclass sets `name` (its key in `TRACERS` and in the events' `rng`) and `entrances`,
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


def install(
    trace: Trace,
    begins: Callable[[str, Callable[[bool], None]], None],
    wait: Callable[[str, Callable[[Any], None], bool], None],
) -> None:
    """Wait for the libraries that can be traced; what traces one is loaded when its import begins.

    Args:
        trace: where to write.
        begins: calls back when the import of a package begins, at once if it is there, with
            whether it has just begun.
        wait: calls back with a module once that is imported, at once if it is; gets told where its
            import has just begun.
    """
    loaded = set()

    def load(name: str, begun: str | None = None) -> None:
        if name in loaded:
            return
        loaded.add(name)
        __import__(f"seedlock.tracers.{name}")
        tracer: Tracer = sys.modules[f"seedlock.tracers.{name}"].tracer
        for entrance in tracer.entrances:
            wait(entrance, _hook(tracer, trace), entrance == begun)

    def when(name: str, package: str) -> None:
        begins(package, lambda just_now: load(name, package if just_now else None))

    for name, packages in TRACERS.items():
        for package in packages:
            when(name, package)


def _hook(tracer: Tracer, trace: Trace) -> Callable[[Any], None]:
    def hook(module: Any) -> None:
        tracer.intercept(module, trace)
        trace.join(tracer)

    return hook
