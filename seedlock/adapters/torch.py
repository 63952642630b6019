"""PyTorch (docs.pytorch.org/docs/stable/notes/randomness.html)."""

from __future__ import annotations

import sys

from seedlock.adapters.base import Adapter, chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class TorchAdapter(Adapter):
    """Seed the default generators of all devices and allow deterministic operations only."""

    name = "torch"

    def environment(self, settings: Settings) -> dict[str, str]:
        return chosen(
            settings,
            {
                # No measuring of kernels on the device by torch.compile, whose choice may differ
                # from run to run. Read when torch._inductor.config is imported (2.10 and later).
                "TORCHINDUCTOR_DETERMINISTIC": "1",
                # Extensions read theirs at import; all choose deterministic backward kernels.
                "FLASH_ATTENTION_DETERMINISTIC": "1",  # +21 % backward (flash-attention #1893)
                "NVTE_ALLOW_NONDETERMINISTIC_ALGO": "0",
                "MAMBA_DETERMINISTIC": "1",
                "CAUSAL_CONV1D_DETERMINISTIC": "1",
                # Fusing of small tensors depends on timing (Horovod documentation).
                "HOROVOD_FUSION_THRESHOLD": "0",
            },
        )

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        pass

    def seed(self, module: Any, seed: int) -> None:
        # manual_seed covers CUDA, MPS, XPU and MTIA too, lazily where a device has not started.
        module.manual_seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        strict = settings.level == "strict"
        # The same switch as use_deterministic_algorithms, which since 2.10 imports
        # torch._inductor.config as well (0.3 s); the variable above does that part.
        module.set_deterministic_debug_mode("error" if strict else "warn")
        inductor = sys.modules.get("torch._inductor.config")
        if inductor is not None:
            inductor.deterministic = True  # type: ignore[attr-defined]
        backends = module.backends
        backends.cudnn.deterministic = True  # convolution backward; slower kernels
        backends.cudnn.benchmark = False  # measures kernels and picks the fastest of the moment
        if hasattr(backends.mkldnn, "deterministic"):
            backends.mkldnn.deterministic = True  # oneDNN primitives with an ordered reduction
        # Half-precision sums in half precision: repeatable, but other bits on another GPU.
        matmul = backends.cuda.matmul
        matmul.allow_fp16_reduced_precision_reduction = False
        matmul.allow_bf16_reduced_precision_reduction = False
        # NaN in what torch.empty returns, so that a read of uninitialised memory shows the same
        # in each run. Costs up to 15 % on a GPU (Megatron-LM #6253), hence not at level warn.
        module.utils.deterministic.fill_uninitialized_memory = strict
        if settings.tf32 == "off":
            matmul.allow_tf32 = False
            backends.cudnn.allow_tf32 = False
        if not strict:
            # With warn_only the fused kernels' backward stays nondeterministic (torch
            # docs/source/notes/randomness.md); the mathematical form remains.
            backends.cuda.enable_flash_sdp(False)
            backends.cuda.enable_mem_efficient_sdp(False)
            backends.cuda.enable_cudnn_sdp(False)

    def flags(self, module: Any) -> dict[str, object]:
        backends = module.backends
        matmul = backends.cuda.matmul
        return {
            "deterministic_debug_mode": module.get_deterministic_debug_mode(),
            "cudnn.deterministic": backends.cudnn.deterministic,
            "cudnn.benchmark": backends.cudnn.benchmark,
            "cudnn.allow_tf32": backends.cudnn.allow_tf32,
            "mkldnn.deterministic": getattr(backends.mkldnn, "deterministic", None),
            "matmul.allow_tf32": matmul.allow_tf32,
            "matmul.allow_fp16_reduced_precision_reduction": (
                matmul.allow_fp16_reduced_precision_reduction
            ),
            "matmul.allow_bf16_reduced_precision_reduction": (
                matmul.allow_bf16_reduced_precision_reduction
            ),
            "fill_uninitialized_memory": module.utils.deterministic.fill_uninitialized_memory,
            "flash_sdp": backends.cuda.flash_sdp_enabled(),
            "mem_efficient_sdp": backends.cuda.mem_efficient_sdp_enabled(),
            "cudnn_sdp": backends.cuda.cudnn_sdp_enabled(),
        }

    def state(self, module: Any) -> object:
        devices: list[str] = []
        if module.cuda.is_initialized():
            devices = [_hex(state) for state in module.cuda.get_rng_state_all()]
        return {"cpu": _hex(module.get_rng_state()), "cuda": devices}

    def restore(self, module: Any, state: Any) -> None:
        module.set_rng_state(_tensor(module, state["cpu"]))
        if state["cuda"]:
            module.cuda.set_rng_state_all([_tensor(module, text) for text in state["cuda"]])

    def gaps(self, settings: Settings) -> list[str]:
        gaps = ["torch.Generator() objects start at PyTorch's constant 67280421310721"]
        if settings.level == "warn":
            gaps.append("an operation without a deterministic form only warns at level warn")
        return gaps


def _hex(state: Any) -> str:
    return bytes(state.tolist()).hex()


def _tensor(module: Any, text: str) -> Any:
    return module.tensor(list(bytes.fromhex(text)), dtype=module.uint8)


adapter = TorchAdapter()
