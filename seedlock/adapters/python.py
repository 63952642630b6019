"""Python's `random` (docs.python.org/3/library/random.html).

The order of sets of text belongs to PYTHONHASHSEED, which seedlock.lineage sets.
"""

from __future__ import annotations

from seedlock.adapters.base import Adapter
from seedlock.patching import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class PythonAdapter(Adapter):
    """Seed the hidden `random.Random` behind the module's functions."""

    name = "python"

    def environment(self, settings: Settings) -> dict[str, str]:
        return {}

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        def method(original: Any) -> Any:
            def seed(self: Any, a: Any = None, version: int = 2) -> None:
                if a is None:
                    a = policy.unseeded("python", 64, "random.Random")
                elif isinstance(a, (int, float, str, bytes, bytearray)):
                    chosen = policy.choose("python", a, 64, "random.seed", self is module._inst)
                    a = a if chosen is None else chosen
                original(self, a, version)

            return seed

        replace(module.Random, "seed", method)
        module.seed = module._inst.seed

    def seed(self, module: Any, seed: int) -> None:
        module.seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return {}

    def state(self, module: Any) -> object:
        version, words, gauss = module.getstate()
        return [version, list(words), gauss]

    def restore(self, module: Any, state: Any) -> None:
        version, words, gauss = state
        module.setstate((version, tuple(words), gauss))

    def gaps(self, settings: Settings) -> list[str]:
        return [
            "random.SystemRandom, secrets, os.urandom and uuid4 draw from the system",
            "random.Random() without a seed draws from the system",
        ]


adapter = PythonAdapter()
