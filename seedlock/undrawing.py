"""What libraries draw from the generators of others while they are being imported is undone: what
a program draws must not depend on which libraries it imports, and when.

JAX 0.10.2 draws from NumPy's (clusters/k8s_cluster.py), TensorFlow 2.21.0, through rich, from
Python's. Loaded when a library is imported after a generator was seeded.
"""

from __future__ import annotations

import sys

from seedlock.stand_ins import own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from seedlock.adapters import Adapter
    from seedlock.process_lock import Lock

DRAWN_BY_IMPORTS = ("python", "numpy")
"""Libraries from whose generators others draw."""


def states(lock: Lock) -> dict[str, object]:
    """Return the states of those generators, by library."""
    return {name: adapter.state(module) for name, (adapter, module) in _drawn(lock).items()}


def undraw(lock: Lock, before: dict[str, object]) -> None:
    """Put those generators back.

    Args:
        lock: the lock in force.
        before: what `states` returned before the import; those that were seeded during it are
            seeded again.
    """
    for name, (adapter, module) in _drawn(lock).items():
        with own():
            if name in before:
                adapter.restore(module, before[name])
            else:
                adapter.seed(module, lock.applied[name].seeds[name])


def _drawn(lock: Lock) -> dict[str, tuple[Adapter, ModuleType]]:
    found = {}
    for name in DRAWN_BY_IMPORTS:
        adapter, module = lock.adapters.get(name, (None, ""))
        if adapter is not None and module in sys.modules and lock.applied[name].seeds:
            found[name] = (adapter, sys.modules[module])
    return found
