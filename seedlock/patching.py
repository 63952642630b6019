"""Replace functions and methods so that nobody who holds on to them or their types notices.

What an import needs of it, and how types written in C are reached, is in `seedlock.stand_ins`.
"""

import sys

from seedlock.stand_ins import OWN, dress, mark, mode, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def in_own_block() -> bool:
    """Tell whether seedlock itself is setting seeds at the moment."""
    return mode.get() is OWN


def replace(owner: "Any", name: str, make: "Callable[[Any], Any]") -> None:
    """Put `make(original)` in the place of a function of a module or class, once.

    Args:
        owner: the module or class.
        name: name of the function; nothing happens where there is none.
        make: gets the original and returns what takes its place.
    """
    found = original(owner, name)
    if found is None or is_replaced(found):
        return
    put(owner, name, mark(dress(make(found), found)))


def original(owner: "Any", name: str) -> "Any":
    """Return what a module or class has under a name, or what a stand-in there stands for; None
    where there is nothing."""
    found = vars(owner).get(name)
    return getattr(found, "_seedlock_stands_for", found)


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


def is_replaced(function: object) -> bool:
    """Tell whether a function is a replacement of ours."""
    return getattr(function, "_seedlock_replaces", False) is True
