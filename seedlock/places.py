"""What a lock needs once the program runs, and not while a library is imported: the policies for
seeds that user code sets, the places below this process, and the ways in which a forked process
or a task takes its own.
"""

from __future__ import annotations

import sys

from seedlock import lineage
from seedlock.callers import Sites
from seedlock.patching import own
from seedlock.registry import REGISTRY
from seedlock.settings import WATCH
from seedlock.user_seeds import UserSeeds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.process_lock import Lock


def _policy(lock: Lock) -> UserSeeds:
    settings = lock.settings
    made = UserSeeds(settings.seed, settings.user_seeds, lock.main_state, settings.level == WATCH)
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

    lock.trace = Trace(lock.settings, lock.gap)
    install(lock.trace, lock.when_begun, lock.when_imported)


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
    for name, (adapter, module) in lock.loaded().items():
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
        lock.sow(*lock.loaded()["python"], lock.keep)


def _left(lock: Lock) -> list[Any]:
    if "python" not in lock.applied:
        return []
    adapter: Any = lock.adapter("python")
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
    for entry in REGISTRY:
        module, applied = sys.modules.get(entry.module), lock.applied.get(entry.name)
        if applied is None:
            what = "nothing of it is locked"
        else:
            what = "what it does not share with the copy before is not locked"
        if _loaded(module) and (applied is None or module is not applied.module):
            found.append(
                f"{entry.name} was imported past seedlock, as by an import hook of the program's "
                f"own: {what}"
            )
    return found


def unused(lock: Lock, name: str, gpu: Any) -> list[str]:
    """Return, as gaps, what of the machine a library turned out not to use.

    Args:
        lock: the lock in force.
        name: of a library that it was applied to.
        gpu: as `machine.gpu` returns it.
    """
    library = sys.modules.get(name)
    if not gpu["devices"] or library is None:
        return []
    return lock.adapter(name).unused(library, len(gpu["devices"]))


def _loaded(module: object) -> bool:
    # Neither a stand-in of the program's own nor what importlib.util.LazyLoader has yet to load.
    lazy = type(module).__name__ == "_LazyModule"
    return not lazy and getattr(module, "__spec__", None) is not None


def put_back(lock: Lock, states: dict[str, object]) -> None:
    """Put main generators into states that they had, by library."""
    loaded = lock.loaded()
    with own():
        for name, state in states.items():
            adapter, module = loaded[name]
            adapter.restore(module, state)


def _drawn(lock: Lock) -> bool:
    # By an initializer, or by the main module as a spawned worker imports it.
    if lock.policy.author_made():
        return True
    if lock.policy.sites.as_list():
        return False  # the author seeded: the states tell nothing
    return any(
        adapter.readable and adapter.state(module) != lock.applied[name].state
        for name, (adapter, module) in lock.loaded().items()
        if lock.applied[name].state is not None
    )
