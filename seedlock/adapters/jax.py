"""JAX, which has no global generator: keys are explicit (docs.jax.dev, "Pseudorandom numbers").

JAX_RANDOM_SEED_OFFSET (jax pull request 18949) is added to every integer seed that
`jax.random.key` and `PRNGKey` take, so that the outside seed moves them all.
"""

from __future__ import annotations

from seedlock.adapters.base import XLA, Adapter, chosen
from seedlock.derivation import stream_seed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

OFFSET = "jax_random_seed_offset"


class JaxAdapter(Adapter):
    """Move every integer seed by the derived offset and exclude nondeterministic kernels."""

    name = "jax"
    per_process = False

    def environment(self, settings: Settings) -> dict[str, str]:
        # The default changed in 0.5.0 and with it all streams. No price: it is the default.
        variables = {"JAX_THREEFRY_PARTITIONABLE": "1"}
        if settings.level == "strict":
            variables["XLA_FLAGS"] = XLA
        offset = stream_seed(settings.seed, self.name, settings.streams)
        return {"JAX_RANDOM_SEED_OFFSET": str(offset), **chosen(settings, variables)}

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        pass

    def seed(self, module: Any, seed: int) -> None:
        if getattr(module.config, OFFSET) != seed:
            module.config.update(OFFSET, seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        if settings.tf32 == "off":
            module.config.update("jax_default_matmul_precision", "float32")

    def flags(self, module: Any) -> dict[str, object]:
        names = (OFFSET, "jax_threefry_partitionable", "jax_default_matmul_precision")
        return {name: getattr(module.config, name) for name in names}

    def state(self, module: Any) -> object:
        return {"offset": getattr(module.config, OFFSET)}

    def restore(self, module: Any, state: Any) -> None:
        self.seed(module, state["offset"])

    def gaps(self, settings: Settings) -> list[str]:
        gaps = ["JAX has no global generator: a checkpoint must hold the program's own keys"]
        if settings.level == "warn":
            gaps.append(
                "XLA has no warning form: kernels are not checked for determinism at level warn"
            )
        return gaps


adapter = JaxAdapter()
