"""Call a function for each new instance of a type written in C that has no `__init__`
(`torch.Generator`). CPython only, like `seedlock.patching`.
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
    if "__init__" in owner.__dict__:
        return
    replace_in_immutable(owner, "__init__", mark(init))
    # The dictionary alone is not enough: a call of the type goes through a slot, which follows
    # the dictionary only when the type is asked to set an attribute, and that it refuses.
    at = _offset_of_init()
    if _word(owner, at) == _word(object, at):
        import ctypes

        ctypes.c_void_p.from_address(id(owner) + at).value = _word(_With, at)
    if _word(owner, at) != _word(_With, at):
        raise not_replaced(owner, "__init__")


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
        raise not_replaced(object, "__init__")
    return found[0]


def _word(owner: type, at: int) -> int | None:
    import ctypes

    return ctypes.c_void_p.from_address(id(owner) + at).value
