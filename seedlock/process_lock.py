"""The lock in force in this process: its settings, what was applied to each library, the gaps.

Imported with the first library that it locks, not at the start.
"""

from __future__ import annotations

import sys

from seedlock import registry
from seedlock.adapters.base import Adapter, Applied
from seedlock.derivation import stream_seed
from seedlock.import_hooks import finder
from seedlock.registry import REGISTRY, Entry

TYPE_CHECKING = False  # typing would cost a program that has no use for it 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from seedlock.settings import Settings

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
            from seedlock import lineage

            raise lineage.wrong_note(settings)
        self.settings = settings
        self.restarted = restarted
        self.gaps = gaps
        self.applied: dict[str, Applied] = {}
        self._adapters: dict[str, tuple[Adapter, str]] = {}
        self._guard = guard
        self._states_before: dict[str, dict[str, object]] = {}

    def before(self, module_name: str) -> None:
        """Set what a library of the registry needs before its import."""
        adapter, applied = self._begin(_ENTRIES[module_name])
        adapter.prepare(self.settings, applied)
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
        if adapter.generators is None:
            adapter.sow(module, self.settings, applied)
            return

        def sow(_: str, generators: ModuleType) -> None:
            self._guard(lambda: adapter.sow(generators, self.settings, applied))

        if not finder.register(adapter.generators, sow):
            sow(adapter.generators, sys.modules[adapter.generators])

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

    def adapter(self, name: str) -> Adapter:
        """Return the adapter of an applied library."""
        return self._adapters[name][0]

    def _drawn_by_imports(self) -> dict[str, tuple[Adapter, ModuleType]]:
        loaded = self.loaded()
        seeded = (name for name in DRAWN_BY_IMPORTS if name in loaded and self.applied[name].seeds)
        return {name: loaded[name] for name in seeded}

    def _undraw(self, module_name: str) -> None:
        # What a program draws must not depend on which libraries it imports, and when.
        states = self._states_before.pop(module_name, {})
        for name, (adapter, module) in self._drawn_by_imports().items():
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
        if wanted is not None and "+" not in version:
            wanted = wanted.split("+")[0]
        applied.gaps += registry.fit(entry, name, version, wanted, self.settings)
