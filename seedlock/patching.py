"""Replace functions and methods so that nobody who holds on to them or their types notices.

Types written in C (`numpy.random.MT19937`, `torch.Generator`) refuse a new attribute. Their
dictionary can be reached all the same, through the garbage collector, as forbiddenfruit
(clarete/forbiddenfruit) does; identity, name, `isinstance`, pickling and copying of
the type stay as they are. CPython only, like this package.
"""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F")


def dress(replacement: "F", original: object) -> "F":
    """Give a replacement the original's names and documentation; return it."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__text_signature__"):
        try:
            setattr(replacement, name, getattr(original, name))
        except (AttributeError, TypeError):
            pass
    replacement.__wrapped__ = original  # type: ignore[attr-defined]
    return replacement


def replace(owner: "Any", name: str, make: "Callable[[Any], Any]") -> None:
    """Put `make(original)` in the place of a function of a module or class, once.

    Args:
        owner: the module or class.
        name: name of the function; nothing happens where there is none.
        make: gets the original and returns what takes its place.
    """
    original = vars(owner).get(name)
    if original is None or is_replaced(original):
        return
    replacement = mark(dress(make(original), original))
    try:
        setattr(owner, name, replacement)
    except TypeError:
        _replace_in_immutable(owner, name, replacement)


def rebind(package: str, original: object, replacement: object) -> None:
    """Put `replacement` wherever a package that was imported before seedlock came holds on to
    `original` by name.

    Args:
        package: top-level name.
        original: function of the package.
        replacement: what takes its place.
    """
    spec = getattr(sys.modules.get(package), "__spec__", None)
    if spec is None or getattr(spec, "_initializing", False):
        return  # still being imported: whoever imports the function by name gets the replacement
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package:
            held = getattr(module, "__dict__", {})
            for key in [key for key, value in held.items() if value is original]:
                held[key] = replacement


def mark(replacement: "F") -> "F":
    """Mark a replacement as ours; return it."""
    replacement._seedlock_replaces = True  # type: ignore[attr-defined]
    return replacement


def is_replaced(function: object) -> bool:
    """Tell whether a function is a replacement of ours."""
    return getattr(function, "_seedlock_replaces", False) is True


def _replace_in_immutable(owner: type, name: str, replacement: object) -> None:
    import ctypes  # NumPy has loaded it already

    from seedlock.errors import AdapterFailed

    namespace = gc.get_referents(owner.__dict__)[0]
    namespace[name] = replacement
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))
    if owner.__dict__[name] is not replacement:
        raise AdapterFailed(
            f"{owner.__module__}.{owner.__name__}.{name} can't be replaced in this interpreter; "
            "install a CPython that seedlock was tested with"
        )
