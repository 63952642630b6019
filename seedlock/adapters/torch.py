"""PyTorch (docs.pytorch.org/docs/stable/notes/randomness.html)."""

from __future__ import annotations

import copyreg
import os
import sys

from seedlock.adapters import Adapter, chosen, torch_devices, torch_loaders, torch_portable
from seedlock.adapters.torch_devices import heard, put_off
from seedlock.callers import author
from seedlock.patching import in_own_block, replace
from seedlock.settings import PORTABLE, STRICT
from seedlock.slots import initialise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


def _mix_generators(_: Any, policy: UserSeeds) -> None:
    # torch.manual_seed and the devices' functions all end in this type's method (PyTorch 2.4 to
    # 2.13: torch/random.py, cuda/random.py, mps/__init__.py, xpu/random.py).
    module: Any = sys.modules["torch._C"]
    generator, default = module.Generator, module.default_generator
    seed_as_is = generator.manual_seed
    package = _folder(module)
    data = os.path.join(package, "utils", "data", "")
    distributed = os.path.join(data, "distributed.py")

    def decided(self: Any, seed: int, caller: str) -> int | None:
        if policy.decides():
            if seed in heard:
                return seed  # of torch.initial_seed() or torch.seed(): the same stream again
            if caller == distributed and policy.policy == "refuse":
                return policy.mixed("torch", seed, 64)  # DistributedSampler's default
        if caller.startswith(data) and caller != distributed:
            return None  # drawn from a generator: shuffling, data pipes
        cuda: Any = sys.modules["torch.cuda"]
        main = any(self is each for each in (default, *cuda.default_generators))
        name = "torch.Generator.manual_seed"
        return policy.choose("torch", seed % 2**64, 64, name, main, caller=put_off.get())

    def manual_seed(original: Callable[..., Any]) -> Callable[..., Any]:
        def manual_seed(self: Any, seed: Any, /) -> Any:
            if type(seed) is not int or not isinstance(self, generator):
                original(self, seed)  # refuses most of what is not an integer
                seed = self.initial_seed()
            chosen = seed
            if not in_own_block() and -(2**63) <= seed < 2**64:
                chosen = decided(self, seed, sys._getframe(1).f_code.co_filename)
            if self is default and chosen is not None and chosen not in heard:
                heard.append(chosen)
            return original(self, seed if chosen is None else chosen)

        return manual_seed

    def seed(_: Callable[..., Any]) -> Callable[..., Any]:
        def seed(self: Any, /) -> int:
            number = policy.unseeded("torch", 64, "torch.Generator.seed")
            heard.append(number)
            seed_as_is(self, number)
            return number

        return seed

    def reduce(original: Callable[..., Any]) -> Callable[..., Any]:
        def reduced(self: Any) -> Any:
            # A pickle holds a state: what it is loaded into must not take a seed of its own.
            kind, *rest = original(self)
            if kind is type(self):
                kind, rest[0] = copyreg.__newobj__, (kind, *rest[0])  # type: ignore[attr-defined]
            return kind, *rest

        return reduced

    def begin(self: Any, *_: Any, **__: Any) -> None:
        # PyTorch seeds at once what it makes for itself.
        own = in_own_block() or sys._getframe(1).f_code.co_filename.startswith(package)
        if not own and not policy.watches:
            seed_as_is(self, policy.unseeded("torch", 64, "torch.Generator"))

    replace(generator, "manual_seed", manual_seed)
    replace(generator, "seed", seed)
    replace(generator, "__reduce__", reduce)
    initialise(generator, begin)


def _note_sharing(module: Any, policy: UserSeeds) -> None:
    package = _folder(sys.modules["torch"])

    def share(original: Callable[..., Any]) -> Callable[..., Any]:
        def shared(self: Any) -> Any:
            frame = sys._getframe(1)
            if not frame.f_code.co_filename.startswith(package):
                caller, _ = author(2)
                policy.gap(
                    f"{caller.f_code.co_filename}:{caller.f_lineno} shares tensors between "
                    "processes: the order in which they write to them depends on scheduling"
                )
            return original(self)

        return shared

    replace(module.Module, "share_memory", share)
    replace(sys.modules["torch._tensor"].Tensor, "share_memory_", share)


def _folder(module: Any) -> Any:
    return os.path.join(os.path.dirname(module.__file__), "")


_ENTRANCES = {
    "torch._torch_docs": _mix_generators,  # needs the C methods for their documentation
    "torch.nn.modules.module": _note_sharing,
    **torch_devices.ENTRANCES,
    **torch_loaders.ENTRANCES,
}


def _told(owner: Any, flag: str) -> object:
    try:
        value: object = getattr(owner, flag)
    except RuntimeError:
        return "set by fp32_precision"  # which PyTorch 2.9 and later then tell and nothing else
    return value


def _precision(owner: Any, operations: str) -> object:
    return getattr(getattr(owner, operations, None), "fp32_precision", None)


def _hex(state: Any) -> str:
    return bytes(state.tolist()).hex()


def _tensor(module: Any, text: str) -> Any:
    return module.tensor(list(bytes.fromhex(text)), dtype=module.uint8)


class TorchAdapter(Adapter):
    """Seed the default generators of all devices and allow deterministic operations only."""

    name = "torch"
    entrances = tuple(_ENTRANCES)

    def environment(self, settings: Settings) -> dict[str, str]:
        return chosen(
            settings,
            {
                **(torch_portable.VARIABLES if settings.level == PORTABLE else {}),
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
        _ENTRANCES[module.__name__](module, policy)

    def seed(self, module: Any, seed: int) -> None:
        # manual_seed covers CUDA, MPS, XPU and MTIA too, lazily where a device has not started.
        module.manual_seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        strict = settings.level in STRICT
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
        if settings.spinning_threads is not None:
            module.set_num_threads(settings.spinning_threads)
            torch_portable.replace(module)
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
            "cudnn.allow_tf32": _told(backends.cudnn, "allow_tf32"),
            "cudnn.conv.fp32_precision": _precision(backends.cudnn, "conv"),
            "mkldnn.deterministic": getattr(backends.mkldnn, "deterministic", None),
            "matmul.allow_tf32": _told(matmul, "allow_tf32"),
            "matmul.fp32_precision": _precision(backends.cuda, "matmul"),
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
            if not module.cuda.is_initialized():
                # As it starts it takes the states that wait first, and then the seeds.
                module.cuda._lazy_seed_tracker.__init__()
            module.cuda.set_rng_state_all([_tensor(module, text) for text in state["cuda"]])
        elif not module.cuda._is_in_bad_fork():
            # CUDA had not started. The last seed of the CPU's generator was CUDA's too, unless
            # the program set them apart; a block of fixed() may have queued another since.
            module.cuda.manual_seed_all(module.initial_seed())

    def gaps(self, settings: Settings) -> list[str]:
        gaps = [
            "seeds that C++ code sets itself are not heard: torch.manual_seed in TorchScript, "
            "at::manual_seed and generators made in C++ extensions",
            "processes that train the same shared tensors (Hogwild) write to them in no fixed "
            "order; share_memory() and share_memory_() are noted where they are called",
        ]
        if settings.level == "warn":
            gaps.append("an operation without a deterministic form only warns at level warn")
        if settings.level == PORTABLE:
            gaps += torch_portable.gaps()
        return gaps


adapter = TorchAdapter()
