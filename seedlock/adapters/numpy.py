"""NumPy's legacy global generator (numpy.org/doc/stable/reference/random/legacy.html).

`import numpy` does not import numpy.random from 2.0 on, so the seed waits for that submodule:
a program that never draws never pays for it.
"""

from __future__ import annotations

from seedlock.adapters.base import Adapter, chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings


class NumpyAdapter(Adapter):
    """Seed `numpy.random.*`, the MT19937 behind the functions of the module."""

    name = "numpy"
    generators = "numpy.random"

    def environment(self, settings: Settings) -> dict[str, str]:
        # A team whose size the run-time may change sums in another order. No price seen.
        return chosen(settings, {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}, cuda=False)

    def seed(self, module: Any, seed: int) -> None:
        module.seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return {}

    def state(self, module: Any) -> object:
        name, key, position, has_gauss, gauss = module.get_state()
        return [name, key.tolist(), int(position), int(has_gauss), float(gauss)]

    def restore(self, module: Any, state: Any) -> None:
        module.set_state(tuple(state))

    def gaps(self, settings: Settings) -> list[str]:
        return ["numpy.random.default_rng() without a seed draws from the system"]


adapter = NumpyAdapter()
