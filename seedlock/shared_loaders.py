"""Hooks around the execution of a module whose loader other modules have too: those of one zip
archive do (zipimport), built-in and frozen modules, whose loader is a class, and what an import
hook loads that is finder and loader in one.

Such a loader can't be told to call hooks for one of its modules: something stands for it in that
module's spec, until the module is executed.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    Execute = Callable[[str, Callable[[ModuleType], None], ModuleType], None]


class Chained:
    """Stands for the loader of one module until it is executed.

    All but the execution is the loader's own: who asks for its source, its data or its path
    (runpy, pkgutil, importlib.resources) gets it.

    Args:
        loader: what the finder found.
        execute: called with the module's name, the loader's own `exec_module` and the module.
    """

    _seedlock_hooked = True

    def __init__(self, loader: "Any", execute: "Execute") -> None:
        self._loader = loader
        self._execute = execute

    def __getattr__(self, name: str) -> "Any":
        if name == "_loader":
            raise AttributeError(name)  # not there yet: it is being copied
        return getattr(self._loader, name)

    def exec_module(self, module: "Any") -> None:
        """Execute a module between its hooks, and leave it with the loader itself."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._execute(module.__spec__.name, self._loader.exec_module, module)
