"""Seeds of generators whose class no import of `random` has made; loaded with the first one.

A reload of `random` makes a class and a generator before the import hooks come, and
importlib.util.module_from_spec makes modules of which they never hear. The seeds of all end in the
type in C below the class.
"""

from __future__ import annotations

import sys

from seedlock.adapters.python_seeds import TAKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.user_seeds import UserSeeds

STRAY = (
    "{}.{}, as in a copy of `random` that no import brought: its generators are seeded when they "
    "are made, and not for each task of a pool"
)


def chosen(generator: Any, given: Any, policy: UserSeeds) -> Any:
    """Return the seed that a generator gets.

    Args:
        generator: of a type below which is `_random.Random`.
        given: what its class made of the seed that it got; None for none.
        policy: what decides.
    """
    kind = type(generator)
    if given is not None:
        known = given if isinstance(given, TAKEN) else hash(given)
        mixed = policy.choose("python", known, 64, "random.seed", False, given)
        return given if mixed is None else mixed
    if kind is not getattr(sys.modules.get("random"), "Random", None):
        policy.gap(STRAY.format(kind.__module__, kind.__qualname__))
    return policy.unseeded("python", 64, "random.Random")
