"""Python's `random` (docs.python.org/3/library/random.html).

The order of sets of text belongs to PYTHONHASHSEED, which seedlock.lineage sets.
"""

from __future__ import annotations

import os
import sys

from seedlock.adapters.base import Adapter
from seedlock.patching import in_own_block, is_replaced, original, own, replace, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

TAKEN = (int, float, str, bytes, bytearray)
"""Types of seeds that random.Random.seed documents. CPython 3.10 takes others by their hash."""


class PythonAdapter(Adapter):
    """Seed the hidden `random.Random` behind the module's functions.

    Attributes:
        hidden: it, and before it those of before each reload of the module.
    """

    name = "python"

    def __init__(self) -> None:
        self.hidden: list[Any] = []
        self._policy: UserSeeds

    def environment(self, settings: Settings) -> dict[str, str]:
        return {}

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        self._policy = policy

        # random.seed is this method of the hidden generator, and random.Random(x) calls it.
        def method(original: Any) -> Any:
            def seed(self: Any, a: Any = None, version: int = 2) -> None:
                given = a
                if a is None:
                    if not in_own_block():
                        a = policy.unseeded("python", 64, "random.Random")
                    return original(self, a, version)  # type: ignore[no-any-return]
                if not isinstance(a, TAKEN):
                    original(self, a, version)  # refuses it, or warns
                    given = hash(a)
                elif version == 1 and isinstance(a, (str, bytes)):
                    given = ("version", 1, a)
                main = self is getattr(sys.modules.get("random"), "_inst", None)
                chosen = policy.choose("python", given, 64, "random.seed", main, a)
                return original(self, a if chosen is None else chosen, version)  # type: ignore[no-any-return]

            return seed

        for hidden in self.hidden:
            replace(type(hidden), "seed", method)
        module.seed = module._inst.seed

    def defer(self, module: Any, settings: Settings, intercept: Callable[[], None]) -> None:
        def policy() -> UserSeeds:
            intercept()
            return self._policy

        self.hidden.append(module._inst)
        stand_in(module.Random, "seed", intercept)
        # Here end the seeds of classes in copies of the module that no import has brought, and of
        # the generator that a reload makes before it is locked.
        replace(module.Random.__base__, "seed", lambda plain: _beneath(plain, policy))
        module.seed = module._inst.seed
        # Imported before seedlock.lock(), it holds what `os` held by then.
        module._urandom = os.urandom

    def seed(self, module: Any, seed: int) -> None:
        module.seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return {}

    def state(self, module: Any) -> object:
        return _listed(module.getstate())

    def state_of_seed(self, module: Any, seed: int) -> object:
        """Return the state that a seed gives, from a generator of its own."""
        with own():
            return _listed(module.Random(seed).getstate())

    def restore(self, module: Any, state: Any) -> None:
        version, words, gauss = state
        module.setstate((version, tuple(words), gauss))

    def gaps(self, settings: Settings) -> list[str]:
        if settings.entropy == "lock":
            return ["os.getrandom, and C code that asks the system itself, are not locked"]
        return [
            "os.urandom, secrets, random.SystemRandom, uuid1, uuid4 and names of temporary files "
            "draw from the system: REPRO_ENTROPY=lock derives them"
        ]


def _beneath(plain: Any, policy: Callable[[], UserSeeds]) -> Any:
    def seed(generator: Any, a: Any = None, /) -> None:
        if not in_own_block() and not _asked_above(type(generator)):
            from seedlock.adapters import python_copies

            a = python_copies.chosen(generator, a, policy())
        return plain(generator, a)  # type: ignore[no-any-return]

    return seed


def _asked_above(kind: type) -> bool:
    # Whether the `seed` of a class over the one in C asks the policy, or stands in for one.
    for each in kind.__mro__[:-2]:
        seed = vars(each).get("seed")
        if seed is not None and (is_replaced(seed) or seed is not original(each, "seed")):
            return True
    return False


def _listed(state: Any) -> list[Any]:
    version, words, gauss = state
    return [version, list(words), gauss]


adapter = PythonAdapter()
