"""What is known of jitted functions, and JAX's hook after each call of one."""

from __future__ import annotations

from weakref import WeakKeyDictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

INSIDE = ("jax", "jaxlib", "optax")
"""Packages whose own jitted functions are parts of what others compute: jnp.where,
optax.tree_utils.tree_bias_correction."""

FLOATS = ("f", "V")
"""Kinds of NumPy types that are floats: float32 and kin, and bfloat16 and kin."""

PMAP = "jax._src.pmap"
"""Where jax.pmap makes a jitted function of what it was given (0.10)."""


class Function:
    """What is known of one jitted function.

    Attributes:
        name: for the trace.
        inside: whether it is part of what others compute.
        counts: whether its calls count as steps; None before the first.
        tree: how its last result was put together.
        names: the paths in it.
    """

    __slots__ = ("name", "inside", "counts", "tree", "names")

    def __init__(self, name: str, inside: bool) -> None:
        self.name = name
        self.inside = inside
        self.counts: bool | None = None
        self.tree: Any = None
        self.names: list[str] = []


class Functions:
    """The functions that were met, for as long as they live."""

    def __init__(self) -> None:
        self._met: WeakKeyDictionary[Any, Function] = WeakKeyDictionary()

    def of(self, function: Any, name: str | None = None) -> Function:
        """Return what is known of a function.

        Args:
            function: what was given to jax.jit.
            name: its name, where it does not tell.
        """
        try:
            known = self._met.get(function)
            if known is None:
                known = self._met[function] = _described(function, name)
        except TypeError:  # a callable without a hash, or to which no weak reference leads
            known = _described(function, name)
        return known


class Hooks:
    """Stands for JAX's own setting of the hook, and keeps ours beside each that JAX sets."""

    def __init__(self, setting: Any, ours: Any) -> None:
        self._setting = setting
        self._ours = ours
        self.set_global(setting.get_global())

    def set_global(self, hook: Any) -> None:
        self._setting.set_global(self._both(hook))

    def set_local(self, hook: Any) -> None:
        self._setting.set_local(self._both(hook))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._setting, name)

    def _both(self, hook: Any) -> Any:
        if hook is None:
            return self._ours

        def both(*call: Any) -> None:
            hook(*call)
            self._ours(*call)

        return both


def gives_back(arguments: Sequence[Sequence[object]], leaves: Sequence[object]) -> bool:
    """Tell whether among a call's results are, side by side, arrays of the shapes and kinds of
    all those in one of its arguments, floats among them.

    A single array is no parameters if it has no dimension (a learning rate) or is all that the
    function takes (pictures to be normalised).

    Args:
        arguments: the leaves of each argument.
        leaves: the leaves of the result.
    """
    found = [kind_of(leaf) for leaf in leaves]
    taken = [[kind_of(leaf) for leaf in argument] for argument in arguments]
    several = sum(any(hasattr(leaf, "dtype") for leaf in argument) for argument in arguments) > 1
    for kinds in taken:
        if not any(kind[1] in (*FLOATS, "c") for kind in kinds):
            continue
        if len(kinds) == 1 and not (several and kinds[0][0]):
            continue
        if any(found[at : at + len(kinds)] == kinds for at in range(len(found))):
            return True
    return False


def kind_of(leaf: Any) -> tuple[tuple[int, ...] | None, str]:
    """Return the shape and the kind of type (`f`, `i`) of an array or number.

    Not the type itself: JAX makes float32 of NumPy's float64.
    """
    if hasattr(leaf, "dtype"):
        return tuple(leaf.shape), getattr(leaf.dtype, "kind", "")
    if isinstance(leaf, (bool, int, float, complex)):
        return (), {"bool": "b", "int": "i", "float": "f"}.get(type(leaf).__name__, "c")
    return None, ""


def _described(function: Any, name: str | None) -> Function:
    if name is not None:
        return Function(name, False)
    while not hasattr(function, "__qualname__") and hasattr(function, "func"):
        function = function.func  # functools.partial
    if getattr(function, "__module__", None) == PMAP:
        return Function("pmap", False)  # it does not tell whose
    name = getattr(function, "__qualname__", type(function).__qualname__)
    package = str(getattr(function, "__module__", "")).partition(".")[0]
    return Function(name.rpartition("<locals>.")[2], package in INSIDE)
