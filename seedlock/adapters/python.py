"""Python's `random` (docs.python.org/3/library/random.html).

The order of sets of text belongs to PYTHONHASHSEED, which seedlock.lineage sets.
"""

from __future__ import annotations

import os

from seedlock.adapters import Adapter
from seedlock.stand_ins import own, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class PythonAdapter(Adapter):
    """Seed the hidden `random.Random` behind the module's functions."""

    name = "python"

    def environment(self, settings: Settings) -> dict[str, str]:
        return {}

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        from seedlock.adapters import python_seeds

        python_seeds.mix(module, policy)

    def defer(self, module: Any, settings: Settings, intercept: Callable[[], None]) -> None:
        stand_in(module.Random, "seed", intercept)
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


def _listed(state: Any) -> list[Any]:
    version, words, gauss = state
    return [version, list(words), gauss]


adapter = PythonAdapter()
