"""TensorFlow (tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism)."""

from __future__ import annotations

import os
import random
import sys

from seedlock import eigen
from seedlock.adapters import Adapter, chosen, tensorflow_portable
from seedlock.adapters.tensorflow_seeds import ENTRANCES, Settled
from seedlock.adapters.xla_flags import xla
from seedlock.settings import PORTABLE, STRICT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds

LIBRARY = "libtensorflow_"
"""Part of the names of the shared objects that hold TensorFlow's kernels."""

NO_GPU = (
    "TensorFlow is built for CUDA and the driver tells {} GPU(s), but TensorFlow found none and "
    "computed on the CPU; is libcusolver.so.11 where the loader looks (version-lock/README.md)?"
)


class TensorflowAdapter(Adapter):
    """Set the global seed and make operations deterministic, without starting the run-time:
    the user's own tf.config calls must still come first."""

    name = "tensorflow"
    entrances = tuple(ENTRANCES)
    main_parts = ("seed", "given", "rng")
    spins = False

    def __init__(self) -> None:
        self._process = os.getpid()
        self._inherited: Any = None
        self._caches_held = self._portable = False

    def environment(self, settings: Settings) -> dict[str, str]:
        variables = {
            "TF_CUDNN_DETERMINISTIC": "1",  # convolution kernels, from before TF 2.8; a belt
            "HOROVOD_FUSION_THRESHOLD": "0",
        }
        if settings.level in STRICT:
            variables["TF_DETERMINISTIC_OPS"] = "1"  # what enable_op_determinism() sets later
            variables["XLA_FLAGS"] = xla(settings)
            # oneDNN's kernels sum in other orders on other CPUs, as TensorFlow's own log says.
            # Training on the CPU takes 1.4 to 1.7 times as long (benchmarks/README.md).
            variables["TF_ENABLE_ONEDNN_OPTS"] = "0"
        if settings.threads is not None:
            number = str(settings.threads)
            variables["TF_NUM_INTRAOP_THREADS"] = variables["TF_NUM_INTEROP_THREADS"] = number
            variables["NPROC"] = number  # XLA's own threads
        return chosen(settings, variables)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        ENTRANCES[module.__name__](module, policy)

    def seed(self, module: Any, seed: int) -> None:
        context = _context()
        if os.getpid() != self._process:
            self._process, self._inherited = os.getpid(), context._context_handle
        if self._of_parent():
            # Forked from a process whose run-time had started: its threads are not here, and a
            # call into it may wait for them. This is _set_global_seed without that call.
            context._seed, context._rng = Settled(seed), random.Random(seed)
        else:
            context._set_global_seed(seed)

    def _of_parent(self) -> bool:
        return self._inherited is not None and _context()._context_handle is self._inherited

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        if settings.level in STRICT:
            # Operations without a deterministic form raise UnimplementedError; stateful
            # functions in tf.data run one after the other ("several orders of magnitude
            # slower" in the worst case, says the page above).
            module.config.experimental.enable_op_determinism()
        if settings.tf32 == "off":
            module.config.experimental.enable_tensor_float_32_execution(False)
        if settings.level == PORTABLE:
            self._caches_held = eigen.hold(LIBRARY)
            tensorflow_portable.replace(module)
            self._portable = True

    def flags(self, module: Any) -> dict[str, object]:
        config = sys.modules["tensorflow.python.framework.config"]
        return {
            "op_determinism": config.is_op_determinism_enabled(),
            "tensor_float_32_execution": config.tensor_float_32_execution_enabled(),
            **eigen.held(LIBRARY),
            **(tensorflow_portable.flags(_context()) if self._portable else {}),
        }

    def state(self, module: Any) -> object:
        # Eager operations draw their seeds from the context's own random.Random (TF 2.21,
        # eager/context.py _internal_operation_seed); nothing public reads it.
        context = _context()
        seed = context._seed
        if getattr(context, "_rng", None) is None:
            return None  # nobody has seeded it, at level watch
        version, words, gauss = context._rng.getstate()
        state = {
            # set_seed takes what operations then refuse, text for one.
            "seed": int(seed) if isinstance(seed, int) else repr(seed),
            "given": getattr(seed, "given", None),
            "rng": [version, list(words), gauss],
        }
        generator = _generators().global_generator
        if generator is not None and not self._of_parent():
            state["generator"] = [int(word) for word in generator.state.numpy()]
            state["algorithm"] = int(generator.algorithm)
        return state

    def restore(self, module: Any, state: Any) -> None:
        context = _context()
        seed = state["seed"]
        context._set_global_seed(
            Settled(seed, state.get("given")) if isinstance(seed, int) else seed
        )
        version, words, gauss = state["rng"]
        context._rng.setstate((version, tuple(words), gauss))
        if "generator" in state:
            generators = _generators()
            if generators.global_generator is None:
                made = generators.Generator.from_state(state["generator"], state["algorithm"])
                generators.global_generator = made
            else:
                generators.global_generator.reset(state["generator"])

    def gaps(self, settings: Settings) -> list[str]:
        gaps = [
            "seeds of tf.random.stateless_* and tf.random.Generator that are tensors, and those "
            "of tf.raw_ops, are taken as written",
            "random operations with a seed of their own, or inside a traced tf.function, keep "
            "counters that can't be read",
        ]
        if settings.level not in STRICT:
            gaps.append(
                "what tf.data runs in parallel or ahead of the program (num_parallel_calls, "
                "prefetch) draws in an order that depends on scheduling; level strict orders it"
            )
        if settings.level == "warn":
            gaps.append(
                "TensorFlow has no warning form: operations without a deterministic form are "
                "neither refused nor named at level warn"
            )
        if settings.level == PORTABLE:
            gaps.append(tensorflow_portable.GAP)
            if not self._caches_held:
                gaps.append(eigen.GAP.format("TensorFlow"))
        return gaps

    def unused(self, module: Any, gpus: int) -> list[str]:
        # Looking for devices starts CUDA, which reads CUDA_VISIBLE_DEVICES then and does not
        # outlive a fork: what the program itself has not asked for is not asked for here.
        devices = getattr(_context(), "_physical_devices", None)  # private, TF 2.21
        if devices is None or any(device.device_type == "GPU" for device in devices):
            return []
        first, *_ = os.environ.get("CUDA_VISIBLE_DEVICES", "all").split(",")
        wanted = first.strip() not in ("", "-1")
        built = module.sysconfig.get_build_info().get("is_cuda_build", False)
        return [NO_GPU.format(gpus)] if wanted and built else []


def _context() -> Any:
    return sys.modules["tensorflow.python.eager.context"].context()


def _generators() -> Any:
    return sys.modules["tensorflow.python.ops.stateful_random_ops"]


adapter = TensorflowAdapter()
