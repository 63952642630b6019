"""Have a type written in C call functions of Python for its instances: `__init__` of one that has
none (`torch.Generator`), `__iter__` of sets. CPython only, like `seedlock.patching`.
"""

from __future__ import annotations

from seedlock.stand_ins import mark, not_replaced, replace_in_immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def initialise(owner: type, init: Callable[..., None]) -> None:
    """Call `init(self, *args, **kwargs)` for each new instance of a C type without `__init__`.

    Calling the type reaches it, and so does everybody who holds on to the type. What C code makes
    by itself and what `__new__` alone makes, as unpickling does, does not.
    """
    if "__init__" not in owner.__dict__:
        replace_special(owner, "__init__", mark(init))


def replace_special(owner: type, name: str, function: object) -> int | None:
    """Put a function in the place of a special method of a C type, for calls from C as well.

    Types made from it later follow. One made before keeps the slot that it had.

    Args:
        owner: the type.
        name: one that has a slot of its own: `__init__`, `__iter__`.
        function: written in Python.

    Returns:
        What `restore_special` needs to undo it.

    Raises:
        AdapterFailed: this interpreter keeps it elsewhere.
    """
    replace_in_immutable(owner, name, function)
    # The dictionary alone is not enough: a call from C goes through a slot, which follows the
    # dictionary only when the type is asked to set an attribute, and that it refuses.
    at, follows = _slot(name)
    before = _word(owner, at)
    if before != follows:
        _set_word(owner, at, follows)
    return before


def restore_special(owner: type, name: str, function: object, before: int | None) -> None:
    """Undo `replace_special`.

    Args:
        owner, name: as given there.
        function: what the type had under the name.
        before: what that returned.
    """
    at, _ = _slot(name)
    _set_word(owner, at, before)
    replace_in_immutable(owner, name, function)


def _slot(name: str) -> tuple[int, int | None]:
    """Return where a type object has the slot of a special method, in bytes, and what it holds
    in a class that has the method in its dictionary."""
    # Wherever this interpreter has it: the one word in which classes with the method agree with
    # one another, classes without agree, and the two kinds differ.
    one, other, without = (type("", (), given) for given in ({name: print}, {name: repr}, {}))
    found = [
        (at, _word(one, at))
        for at in range(0, 50 * 8, 8)
        if _word(one, at) == _word(other, at) != _word(without, at) == _word(object, at)
    ]
    if len(found) != 1:
        raise not_replaced(object, name)
    return found[0]


def _word(owner: type, at: int) -> int | None:
    import ctypes

    return ctypes.c_void_p.from_address(id(owner) + at).value


def _set_word(owner: type, at: int, value: int | None) -> None:
    import ctypes

    ctypes.c_void_p.from_address(id(owner) + at).value = value
    if _word(owner, at) != value:
        raise not_replaced(owner, "slot")
