"""Post-import hooks: call back around the first import of a module, whoever imports it.

The names are the field's (wrapt): finder, chained exec. Unlike wrapt's, a hook is consumed only
when it succeeded, and nothing else is imported.

On the start-up path: imports nothing, not even `__future__` (0.1 ms), hence quoted annotations.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Before = Callable[[str], None]
    After = Callable[[str, ModuleType], None]


class PostImportFinder:
    """A finder at the head of sys.meta_path that finds nothing itself: it lets the other
    finders find a module that is waited for, and chains the hooks around its execution."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Before | None, After]] = {}

    def register(self, name: str, after: "After", before: "Before | None" = None) -> bool:
        """Wait for the import of `name`.

        Args:
            name: full name of the module.
            after: called with the name and the module once it is executed, before the importer
                gets it.
            before: called with the name before it is executed.

        Returns:
            False when the module is already there: nothing was registered.
        """
        if name in sys.modules:
            return False
        self._waiting[name] = (before, after)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        return True

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> "ModuleSpec | None":
        """Return the spec that the other finders have for a module that is waited for."""
        if name not in self._waiting:
            return None
        for other in sys.meta_path:
            find = getattr(other, "find_spec", None)
            if other is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                self._chain(name, spec)
                return spec
        return None

    def _chain(self, name: str, spec: "ModuleSpec") -> None:
        loader = spec.loader
        # A built-in or frozen module's loader is a class shared by all of them; a namespace
        # package has none. Another finder that asks us again may hand the same loader back.
        if loader is None or isinstance(loader, type) or hasattr(loader, "_seedlock_hooked"):
            return
        execute = loader.exec_module

        def exec_module(module: "ModuleType") -> None:
            del loader.exec_module
            before, after = self._waiting.get(name, (None, None))
            if before is not None:
                before(name)
            execute(module)
            if after is not None:
                after(name, module)
                self._waiting.pop(name, None)

        loader._seedlock_hooked = True  # type: ignore[attr-defined]
        loader.exec_module = exec_module  # type: ignore[method-assign]


finder = PostImportFinder()
