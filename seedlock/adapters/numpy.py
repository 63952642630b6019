"""NumPy's legacy global generator (numpy.org/doc/stable/reference/random/legacy.html).

`import numpy` does not import numpy.random from 2.0 on, so the seed waits for that submodule:
a program that never draws never pays for it.
"""

from __future__ import annotations

from seedlock.adapters import Adapter, chosen, threads_held
from seedlock.derivation import derive
from seedlock.settings import PORTABLE, WATCH
from seedlock.stand_ins import is_ours, mark, own, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class NumpyAdapter(Adapter):
    """Seed `numpy.random.*`, the MT19937 behind the functions of the module."""

    name = "numpy"
    generators = "numpy.random"
    # The second draws from the first while it is being imported.
    entrances = ("numpy.random.bit_generator", "numpy.random")

    def environment(self, settings: Settings) -> dict[str, str]:
        # A team whose size the run-time may change sums in another order. No price seen.
        variables = {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}
        if settings.level == PORTABLE:
            from seedlock import portable
            from seedlock.processor import instruction_sets
            from seedlock.registry import installed_versions, release

            version = installed_versions({"numpy"}).get("numpy", "")
            variables["NPY_DISABLE_CPU_FEATURES"] = portable.numpy_features(
                release(version), instruction_sets()
            )
        return chosen(settings, variables, cuda=False)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        from seedlock.adapters import numpy_seeds

        numpy_seeds.mix(module, policy, tag(policy.root))

    def defer(self, module: Any, settings: Settings, intercept: Callable[[], None]) -> None:
        if module.__name__ == self.entrances[0]:
            if settings.level != WATCH and not is_ours(module.randbits):
                # Until numpy.random is imported, the generator that it makes for itself.
                entropy = tag(settings.seed)
                module.randbits = mark(lambda bits: entropy << bits - 32)
            return
        stand_in(module.MT19937, "_legacy_seeding", intercept)
        stand_in(module.bit_generator, "_coerce_to_uint32_array", intercept)
        # JAX's stateful_rng takes its seed from a SeedSequence in a block of own().
        stand_in(module.bit_generator, "randbits", intercept, own_too=True)
        stand_in(module.SeedSequence, "spawn", intercept)

    def seed(self, module: Any, seed: int) -> None:
        module.seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return threads_held()

    def state(self, module: Any) -> object:
        name, key, position, has_gauss, gauss = module.get_state()
        return [name, key.tolist(), int(position), int(has_gauss), float(gauss)]

    def state_of_seed(self, module: Any, seed: int) -> object:
        """Return the state that a seed gives, from a generator of its own."""
        with own():
            twin = module.MT19937(0)  # with a seed: one without takes another's place in the order
            twin._legacy_seeding(seed)
        state = twin.state["state"]
        return ["MT19937", state["key"].tolist(), int(state["pos"]), 0, 0.0]

    def restore(self, module: Any, state: Any) -> None:
        module.set_state(tuple(state))

    def gaps(self, settings: Settings) -> list[str]:
        gaps = []
        if settings.user_seeds != "keep":
            gaps.append("a numpy.random.Philox that is made with key= counts as written")
        beyond = []
        if settings.level == PORTABLE:
            from seedlock import portable

            beyond = portable.beyond_v3()
        if beyond:
            gaps.append(
                f"NumPy computes with {', '.join(beyond)}, which other processors lack: it was "
                "imported too early, or is a build that seedlock does not know"
            )
        return gaps


def tag(root: int) -> int:
    """Return the 32 bits at the head of all entropy that stands for the system's: what begins
    with them is no seed of the author's."""
    path = ("user", "numpy", "text", "entropy of a generator without a seed")
    return 2**31 | derive(root, *path, bits=31)


adapter = NumpyAdapter()
