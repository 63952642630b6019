"""Apache MXNet 1.9.1, its last release (docs/static_site/src/pages/api/faq/env_var.md there)."""

from __future__ import annotations

from seedlock.adapters.base import LOCKED_LEVELS, Adapter, chosen
from seedlock.derivation import derive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class MxnetAdapter(Adapter):
    """Seed the generators of all devices, which 1.9.1 starts at 0 (src/resource.cc).

    Their state can't be read. `state` therefore seeds them anew, from the last seed and by hash,
    and returns that seed: a run that takes its state at the same points draws the same numbers,
    interrupted or not.
    """

    name = "mxnet"
    readable = False

    def __init__(self) -> None:
        self._seed: int | None = None

    def environment(self, settings: Settings) -> dict[str, str]:
        variables = {
            "MXNET_CUDNN_AUTOTUNE_DEFAULT": "0",  # measures kernels and picks the fastest
        }
        if settings.level == "strict":
            # Reaches convolution, deconvolution and pooling (three files of 1.9.1).
            variables["MXNET_ENFORCE_DETERMINISM"] = "1"
        if settings.tf32 == "off":
            variables["MXNET_CUDA_ALLOW_TENSOR_CORE"] = "0"
        return chosen(settings, variables)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        pass

    def seed(self, module: Any, seed: int) -> None:
        module.random.seed(seed)
        self._seed = seed

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        pass

    def flags(self, module: Any) -> dict[str, object]:
        return {}

    def state(self, module: Any) -> object:
        if self._seed is None:
            return None
        self.seed(module, derive(self._seed, "child", "mxnet", "state", bits=31))
        return {"seed": self._seed}

    def restore(self, module: Any, state: Any) -> None:
        self.seed(module, state["seed"])

    def gaps(self, settings: Settings) -> list[str]:
        gaps = ["MXNet's generators can't be read: no digest, and state_dict() seeds them anew"]
        if settings.level in LOCKED_LEVELS:
            gaps.append(
                "MXNet's determinism flag reaches convolution and pooling only; 21 of its GPU "
                "operator files use atomic additions"
            )
        return gaps


adapter = MxnetAdapter()
