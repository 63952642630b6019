"""Python's `random` (docs.python.org/3/library/random.html).

The order of sets of text belongs to PYTHONHASHSEED, which seedlock.lineage sets.
"""

from __future__ import annotations

from seedlock.adapters.base import Adapter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings


class PythonAdapter(Adapter):
    """Seed the hidden `random.Random` behind the module's functions."""

    name = "python"

    def environment(self, settings: Settings) -> dict[str, str]:
        return {}

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
