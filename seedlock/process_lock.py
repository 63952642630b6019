"""The lock in force in this process: its settings, what was applied to each library, the gaps.

Imported with the first library that it locks, not at the start.
"""

from __future__ import annotations

import os
import sys

from seedlock import lineage, registry
from seedlock.adapters.base import Adapter, Applied
from seedlock.callers import Sites
from seedlock.derivation import stream_seed
from seedlock.import_hooks import finder
from seedlock.registry import REGISTRY, Entry
from seedlock.settings import LEVEL, WATCH
from seedlock.user_seeds import UserSeeds, own

TYPE_CHECKING = False  # typing would cost a program that has no use for it 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.trace import Trace

DRAWN_BY_IMPORTS = ("python", "numpy")
"""Libraries from whose generators others draw while they are being imported: JAX 0.10.2 from
NumPy's (clusters/k8s_cluster.py), TensorFlow 2.21.0, through rich, from Python's."""

_ENTRIES = {entry.module: entry for entry in REGISTRY}


class Lock:
    """One root seed over all libraries of this process.

    Attributes:
        settings: what was asked for.
        restarted: whether the interpreter was started again for PYTHONHASHSEED.
        gaps: what is not locked, beyond the libraries' own gaps.
        applied: what was done to each imported library, by its name in the registry.
        path: this process's place in the family of processes and tasks (`seedlock.lineage`).
        family: the places below it.
        policy: what becomes of seeds that user code sets.
        entropy: call sites that drew from the system.
        threads: call sites that ran the program's code in threads.
        environment: the REPRO_* variables as they stood at the start.
        trace: the process's trace, if one was asked for.

    Raises:
        HashSeedNotTaken: this interpreter hashes text under another seed, and no gap says so.
    """

    def __init__(
        self,
        settings: Settings,
        restarted: bool,
        gaps: list[str],
        guard: Callable[[Callable[[], None]], None],
    ) -> None:
        if not gaps and settings.hash_seed != str(
            stream_seed(settings.seed, "python.hash", settings.streams)
        ):
            from seedlock.hash_seed import wrong_note

            raise wrong_note(settings)
        self.settings = settings
        self.restarted = restarted
        self.gaps = gaps + lineage.shared_place(settings)
        self.applied: dict[str, Applied] = {}
        self._adapters: dict[str, tuple[Adapter, str]] = {}
        self.path, self._main_path = lineage.place(settings)
        self.policy = UserSeeds(
            settings.seed, settings.user_seeds, self._state_of, settings.level == WATCH
        )
        self.policy.enter(lineage.stream_path(self.path))
        self.entropy = Sites()
        self.threads = Sites()
        self.environment = {
            name: value for name, value in os.environ.items() if name.startswith("REPRO_")
        }
        self.family = lineage.Family(self.gap)
        self.family.enter(self.path)
        if settings.level != "strict":  # seedlock.lock() may have chosen it
            self.environment[LEVEL] = settings.level
        self._keep = True
        self._guard = guard
        self.trace = self._traced() if settings.trace is not None else None
        self._states_before: dict[str, dict[str, object]] = {}

    def before(self, module_name: str) -> None:
        """Set what a library of the registry needs before its import."""
        adapter, applied = self._begin(_ENTRIES[module_name])
        adapter.prepare(self.settings, applied)
        for entrance in adapter.entrances:
            self._when_imported(entrance, self._interceptor(adapter))
        self._states_before[module_name] = {
            name: drawn.state(module) for name, (drawn, module) in self._drawn_by_imports().items()
        }

    def after(self, module_name: str, module: ModuleType) -> None:
        """Lock a library of the registry that has just been imported.

        Raises:
            Drift, Unsupported: the version that was imported does not fit.
        """
        entry = _ENTRIES[module_name]
        adapter, applied = self._begin(entry)
        if entry.supported is not None:
            self._check_version(entry, module, applied)
        adapter.apply(module, self.settings, applied)
        self._undraw(module_name)
        if not adapter.entrances:
            self._when_imported(adapter.generators or module_name, self._interceptor(adapter))
        self._when_imported(
            adapter.generators or module_name,
            lambda generators: adapter.sow(
                generators, self.settings, applied, self._main_path_of(adapter)
            ),
        )
        if module_name == "random":
            # Python's own hook, registered by this import, seeds a forked child from the system.
            os.register_at_fork(after_in_child=lambda: self._guard(self._sow_python))

    def intercepted(self, module: ModuleType) -> None:
        """Replace what a module of `registry.WATCHED` offers, just imported."""
        registry.watcher(module.__name__).INTERCEPTS[module.__name__](module, self)

    def apply_late(self, module_name: str) -> None:
        """Lock a library that was imported before seedlock started, with a gap where that is
        too late."""
        self.before(module_name)
        self.after(module_name, sys.modules[module_name])
        applied = self.applied[_ENTRIES[module_name].name]
        if applied.environment:
            applied.gaps.append(
                f"{module_name} was imported before seedlock started: it may have read the "
                "environment already"
            )

    def loaded(self) -> dict[str, tuple[Adapter, ModuleType]]:
        """Return the adapter and the module that holds the generators of each library whose
        generators are loaded, in the registry's order."""
        found = {}
        for entry in REGISTRY:
            if entry.name in self._adapters:
                adapter, module = self._adapters[entry.name]
                if module in sys.modules:
                    found[entry.name] = (adapter, sys.modules[module])
        return found

    def forked(self) -> bool:
        """Take the child's place after a fork; return False if it is there to become a program."""
        self.policy.sites.clear()
        self.policy.unseeded_sites.clear()
        self.entropy.clear()
        self.threads.clear()
        self.policy.gaps.clear()
        path, program = self.family.forked()
        if self.trace is not None:
            self.trace.forked()
        self._keep = self.settings.report is not None or lineage.of_worker(path)
        self.enter(path, self._keep, forked=True)
        return not program

    def take(self, place: str) -> bool:
        """Take the place of a task; return whether that brought a gap to light."""
        drawn = lineage.of_worker(self.path) and self._drawn()
        if drawn:
            self.gap(
                "a worker of a pool drew random numbers, or made a generator, before its first "
                "task: what tasks make of them depends on which worker takes them"
            )
        self.enter(place, keep=False)
        return drawn

    def enter(self, path: str, keep: bool = True, forked: bool = False) -> None:
        """Take a place in the family of processes and tasks: all main streams begin anew.

        Args:
            path: the place.
            keep: whether to read the states that come of it, which takes longer than to seed.
            forked: whether this is a fork's hook; Python's own generator has a hook of its own.
        """
        self.path = self._main_path = path
        if self.trace is not None:
            self.trace.place(path)
        self.family.enter(path)
        self.policy.enter(lineage.stream_path(path))
        for name, (adapter, module) in self.loaded().items():
            if adapter.per_process and not (forked and name == "python"):
                main = self._main_path_of(adapter)
                adapter.sow(module, self.settings, self.applied[name], main, keep)

    def positions(self) -> dict[str, Any]:
        """Return how far this process has counted, for a checkpoint: children, jobs, pools, and
        generators without a seed by library."""
        return {**self.family.positions(), "unseeded": self.policy.positions()}

    def go_on_from(self, positions: dict[str, Any]) -> None:
        """Count on from what `positions` returned."""
        self.family.go_on_from(positions)
        self.policy.go_on_from(positions["unseeded"])

    def gap(self, text: str) -> None:
        """Note once what is not locked."""
        self.policy.gap(text)

    def put_back(self, states: dict[str, object]) -> None:
        """Put main generators into states that they had, by library."""
        loaded = self.loaded()
        with own():
            for name, state in states.items():
                adapter, module = loaded[name]
                adapter.restore(module, state)

    def adapter(self, name: str) -> Adapter:
        """Return the adapter of an applied library."""
        return self._adapters[name][0]

    def _traced(self) -> Trace:
        from seedlock.trace import Trace
        from seedlock.tracers.base import install

        made = Trace(self.settings, self.gap)
        install(made, self._when_imported)
        self.policy.trace = self.family.trace = made
        return made

    def _main_path_of(self, adapter: Adapter) -> str:
        return lineage.stream_path(self._main_path) if adapter.per_process else ""

    def _drawn(self) -> bool:
        # By an initializer, or by the main module as a spawned worker imports it.
        if self.policy.author_made():
            return True
        if self.policy.sites.as_list():
            return False  # the author seeded: the states tell nothing
        return any(
            adapter.readable and adapter.state(module) != self.applied[name].state
            for name, (adapter, module) in self.loaded().items()
            if self.applied[name].state is not None
        )

    def _sow_python(self) -> None:
        adapter, module = self._adapters["python"]
        adapter.sow(
            sys.modules[module],
            self.settings,
            self.applied["python"],
            self._main_path_of(adapter),
            self._keep,
        )

    def _state_of(self, name: str) -> object:
        adapter, module = self._adapters[name]
        with own():  # reading MXNet's may have to seed them anew
            return adapter.main_state(sys.modules[module])

    def _interceptor(self, adapter: Adapter) -> Callable[[ModuleType], None]:
        return lambda module: adapter.intercept(module, self.policy)

    def _when_imported(self, name: str, do: Callable[[ModuleType], None]) -> None:
        if not finder.register(name, lambda _, module: self._guard(lambda: do(module))):
            do(sys.modules[name])

    def _drawn_by_imports(self) -> dict[str, tuple[Adapter, ModuleType]]:
        loaded = self.loaded()
        seeded = (name for name in DRAWN_BY_IMPORTS if name in loaded and self.applied[name].seeds)
        return {name: loaded[name] for name in seeded}

    def _undraw(self, module_name: str) -> None:
        # What a program draws must not depend on which libraries it imports, and when.
        states = self._states_before.pop(module_name, {})
        for name, (adapter, module) in self._drawn_by_imports().items():
            with own():
                if name in states:
                    adapter.restore(module, states[name])
                else:
                    adapter.seed(module, self.applied[name].seeds[name])

    def _begin(self, entry: Entry) -> tuple[Adapter, Applied]:
        if entry.name not in self._adapters:
            adapter = registry.import_adapter(entry)
            self._adapters[entry.name] = (adapter, adapter.generators or entry.module)
            self.applied[entry.name] = Applied(entry.name)
        return self._adapters[entry.name][0], self.applied[entry.name]

    def _check_version(self, entry: Entry, module: ModuleType, applied: Applied) -> None:
        # The start looked at folder names; what was imported may come from elsewhere.
        version = str(getattr(module, "__version__", "of unknown version"))
        locked = registry.locked_versions(registry.lock_file(self.settings.lock_file))
        name = next((name for name in entry.distributions if name in locked), entry.name)
        wanted = locked.get(name)
        if wanted is not None and ("+" in wanted) != ("+" in version):  # PyPI's torch is +cu128
            wanted, version = wanted.split("+")[0], version.split("+")[0]
        applied.gaps += registry.fit(entry, name, version, wanted, self.settings)
