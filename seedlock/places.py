"""What a lock needs once the program runs, and not while a library is imported: the policies for
seeds that user code sets, the places below this process, and the ways in which a forked process
or a task takes its own; and what only few imports ask for.
"""

from __future__ import annotations

import sys

from seedlock import lineage, registry
from seedlock.callers import Sites
from seedlock.import_hooks import finder
from seedlock.settings import WATCH
from seedlock.stand_ins import own
from seedlock.user_seeds import UserSeeds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from seedlock.adapters import Adapter, Applied
    from seedlock.process_lock import Lock
    from seedlock.registry import Entry


def _policy(lock: Lock) -> UserSeeds:
    settings = lock.settings

    def main_state(name: str) -> object:
        adapter, module = lock.adapters[name]
        with own():  # reading MXNet's may have to seed them anew
            state: Any = adapter.state(sys.modules[module])
        parts = adapter.main_parts
        return {part: state[part] for part in parts} if parts else state

    made = UserSeeds(settings.seed, settings.user_seeds, main_state, settings.level == WATCH)
    made.enter(lineage.stream_path(lock.path), lock.thread)
    made.trace = lock.trace
    return made


def _family(lock: Lock) -> lineage.Family:
    made = lineage.Family(lock.gap)
    made.enter(lock.path)
    made.trace = lock.trace
    return made


PARTS: dict[str, Callable[[Lock], object]] = {
    "policy": _policy,
    "family": _family,
    "entropy": lambda _: Sites(),
    "threads": lambda _: Sites(),
}
"""What makes each of `process_lock.PARTS`."""


def traced(lock: Lock) -> None:
    """Begin a lock's trace, and wait for the libraries that can be traced."""
    from seedlock.trace import Trace
    from seedlock.tracers.base import install

    def when_begun(name: str, do: Callable[[bool], None]) -> None:
        # Before all else that waits for the package; at once if it is there. `do` is told whether
        # its import has just begun.
        if not finder.register(
            name, lambda *_: None, lambda _: lock.guard(lambda: do(True)), first=True
        ):
            do(False)

    lock.trace = Trace(lock.settings, lock.gap)
    install(lock.trace, when_begun, lock.when_imported)


def apply_late(lock: Lock, entry: Entry) -> None:
    """Lock a library that was imported before seedlock started, with a gap where that is too
    late."""
    lock.before(entry.module)
    lock.after(entry.module, sys.modules[entry.module])
    applied = lock.applied[entry.name]
    if applied.environment:
        applied.gaps.append(
            f"{entry.module} was imported before seedlock started: it may have read the "
            "environment already"
        )


def check_version(lock: Lock, entry: Entry, version: str, applied: Applied) -> None:
    """Compare the version that was imported, which may come from elsewhere than those whose
    folders the start saw.

    Raises:
        Drift, Unsupported: it does not fit.
    """
    locked = registry.locked_versions(registry.lock_file(lock.settings.lock_file))
    name = next((name for name in entry.distributions if name in locked), entry.name)
    wanted = locked.get(name)
    if wanted is not None and ("+" in wanted) != ("+" in version):  # PyPI's torch is +cu128
        wanted, version = wanted.split("+")[0], version.split("+")[0]
    applied.gaps += registry.fit(entry, name, version, wanted, lock.settings)


def loaded(lock: Lock) -> dict[str, tuple[Adapter, ModuleType]]:
    """Return the adapter and the module that holds the generators of each library whose
    generators are loaded, in the registry's order."""
    found = {}
    for entry in registry.REGISTRY:
        if entry.name in lock.adapters:
            adapter, module = lock.adapters[entry.name]
            if module in sys.modules:
                found[entry.name] = (adapter, sys.modules[module])
    return found


def forked(lock: Lock) -> bool:
    """Take the child's place after a fork; return False if it is there to become a program."""
    lock.policy.sites.clear()
    lock.policy.unseeded_sites.clear()
    lock.entropy.clear()
    lock.threads.clear()
    lock.policy.gaps.clear()
    path, program = lock.family.forked()
    if lock.trace is not None:
        lock.trace.forked()
    lock.keep = lock.settings.report is not None or lineage.of_worker(path)
    enter(lock, path, lock.keep, forked=True)
    return not program


def take(lock: Lock, place: str) -> bool:
    """Take the place of a task; return whether that brought a gap to light."""
    drawn = lineage.of_worker(lock.path) and _drawn(lock)
    if drawn:
        lock.gap(
            "a worker of a pool drew random numbers, or made a generator, before its first "
            "task: what tasks make of them depends on which worker takes them"
        )
    enter(lock, place, keep=False)
    return drawn


def enter(lock: Lock, path: str, keep: bool = True, forked: bool = False) -> None:
    """Take a place in the family of processes and tasks: all main streams begin anew.

    Args:
        lock: the lock in force.
        path: the place.
        keep: whether to read the states that come of it, which takes longer than to seed.
        forked: whether this is a fork's hook; Python's own generator has a hook of its own.
    """
    lock.path = lock.main_path = path
    if lock.trace is not None:
        lock.trace.place(path)
    lock.family.enter(path)
    lock.policy.enter(lineage.stream_path(path))
    for name, (adapter, module) in loaded(lock).items():
        if adapter.per_process and not (forked and name == "python"):
            lock.sow(adapter, module, keep)
    for hidden in [] if forked else _left(lock):
        hidden.seed()


def sow_python(lock: Lock, hidden: Any) -> None:
    """Seed, in a forked child, a generator that was made behind `random`: the one that is there, or
    one of before a reload, from which functions draw that somebody took from the module then."""
    if hidden in _left(lock):
        hidden.seed()  # as a generator without a seed
    else:
        lock.sow(*loaded(lock)["python"], lock.keep)


def _left(lock: Lock) -> list[Any]:
    if "python" not in lock.applied:
        return []
    adapter: Any = lock.adapters["python"][0]
    now = getattr(sys.modules.get("random"), "_inst", None)
    return [each for each in adapter.hidden if each is not now]


def positions(lock: Lock) -> dict[str, Any]:
    """Return how far this process has counted, for a checkpoint: children, jobs, pools, and
    generators without a seed by library."""
    return {**lock.family.positions(), "unseeded": lock.policy.positions()}


def go_on_from(lock: Lock, positions: dict[str, Any]) -> None:
    """Count on from what `positions` returned."""
    lock.family.go_on_from(positions)
    lock.policy.go_on_from(positions["unseeded"])


def missed(lock: Lock) -> list[str]:
    """Return the gaps of libraries that are loaded and that no hook on their import has seen, or
    not as they are."""
    found = []
    for entry in registry.REGISTRY:
        module, applied = sys.modules.get(entry.module), lock.applied.get(entry.name)
        if applied is None:
            what = "nothing of it is locked"
        else:
            what = "what it does not share with the copy before is not locked"
        if _is_loaded(module) and (applied is None or module is not applied.module):
            found.append(
                f"{entry.name} was imported past seedlock, as by an import hook of the program's "
                f"own: {what}"
            )
    return found


def _is_loaded(module: object) -> bool:
    # Neither a stand-in of the program's own nor what importlib.util.LazyLoader has yet to load.
    lazy = type(module).__name__ == "_LazyModule"
    return not lazy and getattr(module, "__spec__", None) is not None


def unused(lock: Lock, name: str, gpus: int) -> list[str]:
    """Return, as gaps, what of the machine a library of the lock's turned out not to use.

    Args:
        lock: the lock in force.
        name: the library's.
        gpus: devices that NVML tells, from 0.
    """
    library = sys.modules.get(name)
    if not gpus or library is None:
        return []
    return lock.adapters[name][0].unused(library, gpus)


def told_state(adapter: Adapter, module: ModuleType) -> object:
    """Return the state of a library for a report; None where it can't be read, or not now."""
    from seedlock.errors import BadState

    try:
        return adapter.state(module) if adapter.readable else None
    except BadState:
        return None


def put_back(lock: Lock, states: dict[str, object]) -> None:
    """Put main generators into states that they had, by library."""
    held = loaded(lock)
    with own():
        for name, state in states.items():
            adapter, module = held[name]
            adapter.restore(module, state)


def _drawn(lock: Lock) -> bool:
    # By an initializer, or by the main module as a spawned worker imports it.
    if lock.policy.author_made():
        return True
    if lock.policy.sites.as_list():
        return False  # the author seeded: the states tell nothing
    return any(
        adapter.readable and adapter.state(module) != lock.applied[name].state
        for name, (adapter, module) in loaded(lock).items()
        if lock.applied[name].state is not None
    )
