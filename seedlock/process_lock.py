"""The lock in force in this process: its settings, what was applied to each library, the gaps.

Imported with the first library that it locks, not at the start, and then holds what an import
needs. What only a running program needs (`PARTS`) is made when it is first asked for: loading it
costs as much as a hundredth of `import numpy`.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock, get_ident

from seedlock import registry
from seedlock.adapters import Applied
from seedlock.derivation import stream_seed
from seedlock.import_hooks import finder
from seedlock.registry import REGISTRY
from seedlock.settings import LEVEL, LOCK_FILE, REPORT
from seedlock.stand_ins import stand_in

TYPE_CHECKING = False  # typing would cost a program that has no use for it 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    from seedlock.adapters import Adapter
    from seedlock.callers import Sites
    from seedlock.lineage import Family
    from seedlock.registry import Entry
    from seedlock.settings import Settings
    from seedlock.trace import Trace
    from seedlock.user_seeds import UserSeeds

PARTS = ("policy", "family", "entropy", "threads")
"""Attributes of a lock that `seedlock.places` makes when they are first asked for."""

_ENTRIES = {entry.module: entry for entry in REGISTRY}


class Lock:
    """One root seed over all libraries of this process.

    Attributes:
        settings: what was asked for.
        restarted: whether the interpreter was started again for PYTHONHASHSEED.
        gaps: what is not locked, beyond the libraries' own gaps.
        applied: what was done to each imported library, by its name in the registry.
        adapters: each library's adapter, and the module that holds its generators.
        path: this process's place in the family of processes and tasks (`seedlock.lineage`).
        main_path: the place whose main streams it draws from.
        keep: whether a forked child reads the state of Python's generator, as `sow` has it.
        thread: the thread in which the lock was made.
        family: the places below it.
        policy: what becomes of seeds that user code sets.
        entropy: call sites that drew from the system.
        threads: call sites that ran the program's code in threads.
        environment: the REPRO_* variables as they stood at the start.
        handed: those as children get them.
        trace: the process's trace, if one was asked for.
        sown: whether a generator was seeded yet.
        guard: what each step of a hook is done by.

    Raises:
        HashSeedNotTaken: this interpreter hashes text under another seed, and no gap says so.
    """

    if TYPE_CHECKING:
        family: Family
        policy: UserSeeds
        entropy: Sites
        threads: Sites

    def __init__(
        self,
        settings: Settings,
        restarted: bool,
        gaps: list[str],
        guard: Callable[[Callable[[], None]], None],
        environ: Mapping[str, str],
    ) -> None:
        if not gaps and settings.hash_seed != str(
            stream_seed(settings.seed, "python.hash", settings.streams)
        ):
            from seedlock.hash_seed import wrong_note

            raise wrong_note(settings)
        self.settings = settings
        self.restarted = restarted
        self.gaps = gaps
        self.applied: dict[str, Applied] = {}
        self.adapters: dict[str, tuple[Adapter, str]] = {}
        self.path = self.main_path = ""
        self.thread = get_ident()
        self.environment = {name: environ[name] for name in environ if name.startswith("REPRO_")}
        self.handed = {**self.environment}
        if settings.level != self.environment.get(LEVEL, "strict"):  # chosen by seedlock.lock()
            self.handed[LEVEL] = settings.level
        # A child may start in another folder, and this process go into one.
        for name in (REPORT, LOCK_FILE) if settings.report is not None else ():
            if self.environment.get(name):
                self.handed[name] = os.path.abspath(self.environment[name])
        self.keep = True
        self.sown = False
        self.guard = guard
        self._states_before: dict[str, dict[str, object]] = {}
        self.trace: Trace | None = None
        if settings.lineage or settings.giver or settings.rank is not None:
            from seedlock import lineage

            self.gaps = gaps + lineage.shared_place(settings)
            self.path, self.main_path = lineage.place(settings)
        if settings.trace is not None:
            from seedlock import places

            places.traced(self)

    def __getattr__(self, name: str) -> object:
        if name not in PARTS:
            raise AttributeError(f"a lock has no attribute {name!r}")
        from seedlock import places

        # Whole, for threads that ask at once: the first one's is everybody's.
        return self.__dict__.setdefault(name, places.PARTS[name](self))

    def before(self, module_name: str) -> None:
        """Set what a library of the registry needs before its import."""
        adapter, applied = self._begin(_ENTRIES[module_name])
        adapter.prepare(self.settings, applied)
        for entrance in adapter.entrances:
            self.when_imported(entrance, lambda found: self._defer(adapter, found))
        if self.sown:
            from seedlock import undrawing

            self._states_before[module_name] = undrawing.states(self)

    def after(self, module_name: str, module: ModuleType) -> None:
        """Lock a library of the registry that has just been imported, or executed again.

        Raises:
            Drift, Unsupported: the version that was imported does not fit.
        """
        entry = _ENTRIES[module_name]
        adapter, applied = self._begin(entry)
        if module_name == "random":
            hidden = vars(module)["_inst"]
            # Python's own hook, registered by this import, seeds a forked child from the system.
            os.register_at_fork(after_in_child=lambda: self.guard(lambda: self._forked(hidden)))
        if applied.module is not None:  # executed again
            applied.module = sys.modules.get(module_name)
            return  # what waits for its generators is called for itself
        if entry.supported is not None:
            version = str(getattr(module, "__version__", "of unknown version"))
            if (entry.distributions[0], version) not in registry.FITS:
                from seedlock import places

                places.check_version(self, entry, version, applied)
        adapter.apply(module, self.settings, applied)
        if self.sown:
            from seedlock import undrawing

            undrawing.undraw(self, self._states_before.pop(module_name, {}))
        generators = adapter.generators or module_name
        if not adapter.entrances:
            self.when_imported(generators, lambda found: self._defer(adapter, found))
        sow = self._once(lambda: self.sow(adapter, sys.modules[generators]))
        self.when_imported(generators, lambda _: sow())
        applied.module = sys.modules.get(module_name)

    def intercepted(self, module: Any) -> None:
        """Replace what a module of `registry.WATCHED` offers, just imported."""
        name = module.__name__

        def intercept() -> None:
            registry.watcher(name).INTERCEPTS[name](module, self)

        if name == "threading":  # which nearly every library imports
            once = self._once(intercept)
            stand_in(module.Thread, "start", once)
            stand_in(sys.modules["_thread"], "start_new_thread", once)
        else:
            intercept()

    def sow(self, adapter: Adapter, module: ModuleType, keep: bool = True) -> None:
        """Seed a library's main stream at this process's place, and note it.

        Args:
            adapter: the library's.
            module: the module that holds its generators.
            keep: whether to read the state that comes of it, which takes longer than to seed.
        """
        self.sown = True
        path = self.main_path if adapter.per_process else ""
        if path:
            from seedlock.lineage import stream_path

            path = stream_path(path)
        adapter.sow(module, self.settings, self.applied[adapter.name], path, keep)

    def gap(self, text: str) -> None:
        """Note once what is not locked."""
        self.policy.gap(text)

    def when_imported(
        self, name: str, do: Callable[[ModuleType], None], begun: bool = False
    ) -> None:
        """Call `do` with a module each time it was executed, at once if it is there.

        Args:
            name: the module's.
            do: gets the module.
            begun: whether its import has just begun.
        """
        if not finder.register(name, lambda _, it: self.guard(lambda: do(it)), begun=begun):
            do(sys.modules[name])

    def _forked(self, hidden: Any) -> None:
        from seedlock import places

        places.sow_python(self, hidden)

    def _defer(self, adapter: Adapter, module: ModuleType) -> None:
        intercept = self._once(lambda: adapter.intercept(module, self.policy))
        adapter.defer(module, self.settings, intercept)

    def _once(self, step: Callable[[], None]) -> Callable[[], None]:
        one_at_a_time, steps = RLock(), [step]

        def once() -> None:
            with one_at_a_time:
                if steps:
                    self.guard(step)
                    steps.clear()

        return once

    def _begin(self, entry: Entry) -> tuple[Adapter, Applied]:
        if entry.name not in self.adapters:
            adapter = registry.import_adapter(entry)
            self.adapters[entry.name] = (adapter, adapter.generators or entry.module)
            self.applied[entry.name] = Applied(entry.name)
        return self.adapters[entry.name][0], self.applied[entry.name]
