"""Python's `random` (docs.python.org/3/library/random.html).

The order of sets of text belongs to PYTHONHASHSEED, which seedlock.lineage sets.
"""

from __future__ import annotations

import os

from seedlock.adapters import Adapter
from seedlock.stand_ins import OWN, dress, is_ours, mark, mode, own, put, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


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
        from seedlock.adapters import python_seeds

        self._policy = policy
        python_seeds.mix(module, [type(each) for each in self.hidden], policy)

    def defer(self, module: Any, settings: Settings, intercept: Callable[[], None]) -> None:
        def policy() -> UserSeeds:
            intercept()
            return self._policy

        self.hidden.append(module._inst)
        stand_in(module.Random, "seed", intercept)
        # Here end the seeds of classes in copies of the module that no import has brought, and of
        # the generator that a reload makes before it is locked.
        base = module.Random.__base__
        if not is_ours(base.seed):
            put(base, "seed", mark(dress(_beneath(base.seed, policy), base.seed)))
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
        if mode.get() is not OWN and not _asked_above(type(generator)):
            from seedlock.adapters import python_copies

            a = python_copies.chosen(generator, a, policy())
        return plain(generator, a)  # type: ignore[no-any-return]

    return seed


def _asked_above(kind: type) -> bool:
    # Whether the `seed` of a class over the one in C asks the policy, or stands in for one.
    return any(is_ours(vars(each).get("seed")) for each in kind.__mro__[:-2])


def _listed(state: Any) -> list[Any]:
    version, words, gauss = state
    return [version, list(words), gauss]


adapter = PythonAdapter()
