"""Whether all can be loaded that a locked process may need: tried once, by what starts one."""

from __future__ import annotations

from seedlock.registry import REGISTRY, import_adapter

LATER = (
    "seedlock.adapters.numpy_seeds",
    "seedlock.adapters.python_seeds",
    "seedlock.places",
    "seedlock.threads",
    "seedlock.undrawing",
)
"""What a locked process loads when its program first seeds a library or starts a thread, and not
with the library; and what comes with a library only if a generator was seeded before."""


def import_adapters() -> None:
    """Import every adapter and what comes after it, so that a broken one is found before user code
    starts.

    Takes 4 ms: done once, by what starts a locked process and not by the process itself.
    """
    for entry in REGISTRY:
        import_adapter(entry)
    for name in LATER:
        __import__(name)
