"""Post-import hooks: call back around the import of a module, whoever imports it, and again when it
is executed again.

The names are the field's (wrapt): finder, chained exec. Unlike wrapt's, a hook is never consumed:
`importlib.reload` takes off what was put on. And nothing else is imported.

On the start-up path: imports nothing, not even `__future__` (0.1 ms), hence quoted annotations.
"""

import os
import sys
from _frozen_importlib import BuiltinImporter, FrozenImporter
from _frozen_importlib_external import PathFinder
from _imp import is_frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Before = Callable[[str], None]
    After = Callable[[str, ModuleType], None]


class PostImportFinder:
    """A finder at the head of sys.meta_path that finds nothing itself: it lets the finders behind
    it find each module, and chains the hooks around the execution of one that is waited for.

    It asks them for the others too, in their order: the import system makes and enters a lock
    context for each finder (6000 instructions of CPython 3.11), so that a finder that only says no
    costs `import numpy` 0.8 million, and one that asks the rest itself saves as many. The two for
    what is compiled into the interpreter it asks for that only, which saves 5000 for each module.
    """

    def __init__(self) -> None:
        self.resting = False
        self._waiting: dict[str, list[tuple[Before | None, After]]] = {}
        self._seen: set[str] = set()

    def register(
        self,
        name: str,
        after: "After",
        before: "Before | None" = None,
        first: bool = False,
        begun: bool = False,
    ) -> bool:
        """Wait for the import of `name`. Hooks on one name are called in their order.

        Args:
            name: full name of the module.
            after: called with the name and the module each time it was executed, before the
                importer gets it.
            before: called with the name before it is executed for the first time.
            first: whether these come before the hooks that are there.
            begun: whether this is called by a `before` of the module itself, which is there then
                and not executed yet.

        Returns:
            False when the module is already there: the hooks wait for its reload.
        """
        there = name in sys.modules and not begun
        if there:
            self._seen.add(name)
        hooks = self._waiting.setdefault(name, [])
        hooks.insert(0 if first else len(hooks), (before, after))
        if self not in sys.meta_path:
            # A new list: CPython keeps the first one to its very end, and with it would keep
            # this module and all that it holds, which costs each exit 0.1 ms.
            sys.meta_path = [self, *sys.meta_path]
        return not there

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,
    ) -> "ModuleSpec | None":
        """Return the spec that the other finders have for a module."""
        if name in _OPTIONAL:
            return None
        waited = name in self._waiting  # for whoever may find it, before us or behind us
        others = iter(sys.meta_path)
        if not waited:
            for other in others:
                if other is self:
                    break
        for other in others:
            if other is BuiltinImporter:
                if name not in _BUILT_IN:
                    continue
            elif other is FrozenImporter:
                if not is_frozen(name):
                    continue
            elif other is self:
                continue
            find = getattr(other, "find_spec", None)
            if find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                if waited:
                    self._chain(name, spec)
                return spec
            if other is PathFinder and not waited:
                break  # what comes after it may be dear, and will be asked in its turn
        return None

    def _chain(self, name: str, spec: "ModuleSpec") -> None:
        loader = spec.loader
        # A namespace package has none. Another finder that asks us again may hand the same loader
        # back.
        if loader is None or hasattr(loader, "_seedlock_hooked"):
            return
        if getattr(loader, "name", None) != name:
            from seedlock.shared_loaders import Chained

            spec.loader = Chained(loader, self._execute)  # type: ignore[assignment]
            return
        execute = loader.exec_module

        def exec_module(module: "ModuleType") -> None:
            del loader.exec_module, loader._seedlock_hooked  # type: ignore[attr-defined]
            self._execute(name, execute, module)

        loader._seedlock_hooked = True  # type: ignore[attr-defined]
        loader.exec_module = exec_module  # type: ignore[method-assign]

    def _execute(
        self, name: str, execute: "Callable[[ModuleType], None]", module: "ModuleType"
    ) -> None:
        hooks = self._waiting[name]
        done = name in self._seen  # whatever becomes of a reload, the module stays
        wake = collector_rests()
        try:
            for before, _ in () if done else hooks:
                if before is not None:
                    before(name)
            try:
                execute(module)
                done = True
            finally:
                for _, after in tuple(hooks) if done else ():
                    after(name, module)
        finally:
            wake()
        self._seen.add(name)


def collector_rests() -> "Callable[[], None]":
    """Switch the garbage collector off, and return what switches it on again.

    What a library's import makes is there to stay. To look at it round after round takes 5 % of
    NumPy's import and 11 % of TensorFlow's (CPython 3.11.7), more than seedlock adds to either.
    Whoever ends the rest hands all of it to the oldest generation, where the rounds would have
    brought it. Nothing is done where the program has switched the collector off, and nothing of
    what it has frozen is moved.
    """
    import gc

    if not gc.isenabled():
        return _nothing

    def wake() -> None:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        gc.enable()
        finder.resting = False

    gc.disable()
    finder.resting = True
    return wake


def collector_goes_on() -> None:
    """End a rest in a forked child, to whose thread the import need not belong."""
    if finder.resting:
        import gc

        gc.enable()
        finder.resting = False


def _nothing() -> None:
    pass


class FirstCall:
    """Stands for a function of `os` until its first call, then for its replacement.

    Equal to the function that it stands for, since the standard library looks functions up
    (`os.scandir in os.supports_fd`); no descriptor, since it keeps some in classes (pathlib of
    CPython 3.10), where a function written in Python would become a method.
    """

    def __init__(
        self, name: str, make: "Callable[[str, Callable[..., Any]], Callable[..., Any]]"
    ) -> None:
        function = getattr(os, name)
        self._function: Callable[..., Any] | None = None
        self._make = make
        self.__wrapped__ = function
        self.__name__ = name
        self.__doc__ = function.__doc__

    def __call__(self, *args: "Any", **kwargs: "Any") -> "Any":
        if self._function is None:
            # The interpreter's own start-up goes on behind the doors and lists folders.
            if sys._getframe(1).f_code.co_filename.endswith(("<frozen site>", "/site.py")):
                return self.__wrapped__(*args, **kwargs)
            self._function = self._make(self.__name__, self.__wrapped__)
        return self._function(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return other is self or other is self.__wrapped__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __reduce__(self) -> "tuple[Callable[[str], Any], tuple[str]]":
        return function_of_os, (self.__name__,)


def function_of_os(name: str) -> "Any":
    """Return a function of `os`: what a pickled `FirstCall` becomes where it is unpickled."""
    return getattr(os, name)


_BUILT_IN = frozenset(sys.builtin_module_names)

_OPTIONAL = ("sitecustomize", "usercustomize")
"""Modules for which each start looks and mostly in vain: whoever finds none is asked twice."""

finder = PostImportFinder()
