"""Stand in a function's place until its first call; and whose seeds are being set meanwhile.

All that an import needs of `seedlock.patching`. Types written in C (`numpy.random.MT19937`,
`torch.Generator`) refuse a new attribute. Their dictionary can be reached all the same, through
the garbage collector, as forbiddenfruit (clarete/forbiddenfruit) does; identity, name,
`isinstance`, pickling and copying of the type stay as they are. CPython only, like this package.
"""

import gc
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from typing import Any, TypeVar

    F = TypeVar("F")

POLICY: "dict[str, object]" = {}
OWN: "dict[str, object]" = {}
mode: "ContextVar[dict[str, object]]" = ContextVar("seedlock_mode", default=POLICY)
"""Whose seeds are being set: the user's by policy, seedlock's own, or, in a block of fixed(),
the user's as written; then the value holds the generators' states from before."""


class own:  # noqa: N801 - read as a word: with own():
    """A block in which seeds that are set are seedlock's own, not the user's."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token: Token[dict[str, object]] = mode.set(OWN)

    def __exit__(self, *problem: object) -> None:
        mode.reset(self._token)


def stand_in(
    owner: "Any", name: str, intercept: "Callable[[], None]", own_too: bool = False
) -> None:
    """Stand in a function's place, once, until its first call, which is when the adapter's code for
    it is loaded: a program that only imports a library does not pay for that.

    Args:
        owner: the module or class.
        name: name of the function; nothing happens where there is none.
        intercept: puts the replacement in the place of `patching.original(owner, name)`.
        own_too: whether a call in a block of `own()` needs the replacement as well.
    """
    function = vars(owner).get(name)
    if function is None or hasattr(function, "_seedlock_stands_for"):
        return  # one is there already: an import that failed at first is done again

    def until_called(*args: "Any", **kwargs: "Any") -> "Any":
        if mode.get() is OWN and not own_too:
            return function(*args, **kwargs)
        if vars(owner)[name] is until_called:
            intercept()
            if vars(owner)[name] is until_called:
                put(owner, name, function)  # which was a replacement
        # Who took hold of the stand-in before goes on calling it.
        return vars(owner)[name](*args, **kwargs)

    until_called._seedlock_stands_for = function  # type: ignore[attr-defined]
    put(owner, name, dress(until_called, function))


def dress(replacement: "F", original: object) -> "F":
    """Give a replacement the original's names and documentation; return it."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__text_signature__"):
        try:
            setattr(replacement, name, getattr(original, name))
        except (AttributeError, TypeError):
            pass
    replacement.__wrapped__ = original  # type: ignore[attr-defined]
    return replacement


def mark(replacement: "F") -> "F":
    """Mark a replacement as ours; return it."""
    replacement._seedlock_replaces = True  # type: ignore[attr-defined]
    return replacement


def is_ours(function: object) -> bool:
    """Tell whether a function is a replacement of ours, or a stand-in."""
    return hasattr(function, "_seedlock_replaces") or hasattr(function, "_seedlock_stands_for")


def put(owner: "Any", name: str, replacement: object) -> None:
    """Put `replacement` under a name of a module or class, written in C or not."""
    try:
        setattr(owner, name, replacement)
    except TypeError:
        replace_in_immutable(owner, name, replacement)


def replace_in_immutable(owner: type, name: str, replacement: object) -> None:
    """Put `replacement` into the dictionary of a type that refuses new attributes.

    Raises:
        AdapterFailed: this interpreter keeps the dictionary elsewhere.
    """
    import ctypes  # NumPy has loaded it already

    namespace = gc.get_referents(owner.__dict__)[0]
    namespace[name] = replacement
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))
    if owner.__dict__[name] is not replacement:
        raise not_replaced(owner, name)


def not_replaced(owner: type, name: str) -> Exception:
    """Return the error for an attribute of a type that could not be replaced."""
    from seedlock.errors import AdapterFailed

    return AdapterFailed(
        f"{owner.__module__}.{owner.__name__}.{name} can't be replaced in this interpreter; "
        "install a CPython that seedlock was tested with"
    )
