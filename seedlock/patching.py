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


def initialise(owner: type, init: "Callable[..., None]") -> None:
    """Call `init(self, *args, **kwargs)` for each new instance of a C type without `__init__`.

    Calling the type reaches it, and so does everybody who holds on to the type. What C code makes
    by itself and what `__new__` alone makes, as unpickling does, does not.
    """
    if "__init__" in owner.__dict__:
        return
    _replace_in_immutable(owner, "__init__", mark(init))
    # The dictionary alone is not enough: a call of the type goes through a slot, which follows
    # the dictionary only when the type is asked to set an attribute, and that it refuses.
    at = _offset_of_init()
    if _word(owner, at) == _word(object, at):
        import ctypes

        ctypes.c_void_p.from_address(id(owner) + at).value = _word(_With, at)
    if _word(owner, at) != _word(_With, at):
        raise _not_replaced(owner, "__init__")


class _With:
    def __init__(self) -> None: ...


class _WithToo:
    def __init__(self, _: int) -> None: ...


class _Without:
    pass


def _offset_of_init() -> int:
    # PyTypeObject.tp_init, wherever this interpreter has it: the one word in which classes with
    # an __init__ agree with one another, classes without agree, and the two kinds differ.
    found = [
        at
        for at in range(0, 50 * 8, 8)
        if _word(_With, at) == _word(_WithToo, at) != _word(_Without, at) == _word(object, at)
    ]
    if len(found) != 1:
        raise _not_replaced(object, "__init__")
    return found[0]


def _word(owner: type, at: int) -> int | None:
    import ctypes

    return ctypes.c_void_p.from_address(id(owner) + at).value


def _replace_in_immutable(owner: type, name: str, replacement: object) -> None:
    import ctypes  # NumPy has loaded it already

    namespace = gc.get_referents(owner.__dict__)[0]
    namespace[name] = replacement
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))
    if owner.__dict__[name] is not replacement:
        raise _not_replaced(owner, name)


def _not_replaced(owner: type, name: str) -> Exception:
    from seedlock.errors import AdapterFailed

    return AdapterFailed(
        f"{owner.__module__}.{owner.__name__}.{name} can't be replaced in this interpreter; "
        "install a CPython that seedlock was tested with"
    )
