"""NumPy's legacy global generator (numpy.org/doc/stable/reference/random/legacy.html).

`import numpy` does not import numpy.random from 2.0 on, so the seed waits for that submodule:
a program that never draws never pays for it.
"""

from __future__ import annotations

import _thread

from seedlock.adapters.base import Adapter, chosen
from seedlock.patching import mark, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class NumpyAdapter(Adapter):
    """Seed `numpy.random.*`, the MT19937 behind the functions of the module."""

    name = "numpy"
    generators = "numpy.random"

    def environment(self, settings: Settings) -> dict[str, str]:
        # A team whose size the run-time may change sums in another order. No price seen.
        return chosen(settings, {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}, cuda=False)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        _mix_legacy(module, policy)
        _mix_sequences(module.bit_generator, policy)

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
        return []


def _mix_legacy(module: Any, policy: UserSeeds) -> None:
    # np.random.seed, RandomState(x) and RandomState.seed all end in this method of the type.
    main = module.mtrand._rand._bit_generator

    def method(original: Any) -> Any:
        def _legacy_seeding(self: Any, seed: Any) -> None:
            if seed is None or not (type(seed) is int and 0 <= seed < 2**32):
                original(self, seed)  # refuses what it does not take
                if seed is None:
                    return
            chosen = policy.choose("numpy", seed, 32, "numpy.random.RandomState", self is main)
            original(self, seed if chosen is None else chosen)

        return _legacy_seeding

    replace(module.MT19937, "_legacy_seeding", method)


def _mix_sequences(module: Any, policy: UserSeeds) -> None:
    # default_rng, SeedSequence and every bit generator turn their seed into words here, and
    # take their entropy there if they get none (NumPy 1.17 to 2.4, bit_generator.pyx). A
    # SeedSequence asks twice: for its entropy and then for its spawn key.
    words = module._coerce_to_uint32_array
    state = _thread._local()
    tag = policy.mixed("numpy", "entropy of a generator without a seed", 32)

    def _coerce_to_uint32_array(x: Any) -> Any:
        if getattr(state, "inside", False):
            return words(x)
        spawn_key = type(x) is tuple and getattr(state, "half", False)
        state.half = not spawn_key
        if type(x) is int and x >= 0:
            if x >> 96 == tag:
                return words(x)
        else:
            checked = each(x)
            if spawn_key:
                return checked
        chosen = policy.choose("numpy", x, 128, "numpy.random.SeedSequence", False)
        return words(chosen) if chosen is not None else each(x)

    def each(x: Any) -> Any:
        # The original calls itself, which is this function, for each part of a list.
        state.inside = True
        try:
            return words(x)
        finally:
            state.inside = False

    def randbits(bits: int) -> int:
        return tag << 96 | policy.unseeded("numpy", bits, "numpy.random.SeedSequence") >> 32

    module._coerce_to_uint32_array = mark(_coerce_to_uint32_array)
    module.randbits = mark(randbits)


adapter = NumpyAdapter()
