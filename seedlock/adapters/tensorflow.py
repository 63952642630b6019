"""TensorFlow (tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism)."""

from __future__ import annotations

import sys

from seedlock.adapters.base import XLA, Adapter, chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.settings import Settings
    from seedlock.user_seeds import UserSeeds


class TensorflowAdapter(Adapter):
    """Set the global seed and make operations deterministic, without starting the run-time:
    the user's own tf.config calls must still come first."""

    name = "tensorflow"

    def environment(self, settings: Settings) -> dict[str, str]:
        variables = {
            "TF_CUDNN_DETERMINISTIC": "1",  # convolution kernels, from before TF 2.8; a belt
            "HOROVOD_FUSION_THRESHOLD": "0",
        }
        if settings.level == "strict":
            variables["TF_DETERMINISTIC_OPS"] = "1"  # what enable_op_determinism() sets later
            variables["XLA_FLAGS"] = XLA
            # oneDNN's kernels sum in other orders on other CPUs, as TensorFlow's own log says.
            # Training on the CPU takes 1.4 to 1.7 times as long (benchmarks/README.md).
            variables["TF_ENABLE_ONEDNN_OPTS"] = "0"
        return chosen(settings, variables)

    def intercept(self, module: Any, policy: UserSeeds) -> None:
        pass

    def seed(self, module: Any, seed: int) -> None:
        module.random.set_seed(seed)

    def set_deterministic(self, module: Any, settings: Settings) -> None:
        if settings.level == "strict":
            # Operations without a deterministic form raise UnimplementedError; stateful
            # functions in tf.data run one after the other ("several orders of magnitude
            # slower" in the worst case, says the page above).
            module.config.experimental.enable_op_determinism()
        if settings.tf32 == "off":
            module.config.experimental.enable_tensor_float_32_execution(False)

    def flags(self, module: Any) -> dict[str, object]:
        config = sys.modules["tensorflow.python.framework.config"]
        return {
            "op_determinism": config.is_op_determinism_enabled(),
            "tensor_float_32_execution": config.tensor_float_32_execution_enabled(),
        }

    def state(self, module: Any) -> object:
        # Eager operations draw their seeds from the context's own random.Random (TF 2.21,
        # eager/context.py _internal_operation_seed); nothing public reads it.
        context = _context()
        version, words, gauss = context._rng.getstate()
        return {"seed": int(context._seed), "rng": [version, list(words), gauss]}

    def restore(self, module: Any, state: Any) -> None:
        module.random.set_seed(state["seed"])
        version, words, gauss = state["rng"]
        _context()._rng.setstate((version, tuple(words), gauss))

    def gaps(self, settings: Settings) -> list[str]:
        gaps = [
            "seeds of tf.random.stateless_* are taken as written",
            "random operations inside a traced tf.function keep counters that can't be read",
        ]
        if settings.level != "strict":
            gaps.append(
                "tf.random.get_global_generator() and Generator.from_non_deterministic_state() "
                "draw from the system; level strict refuses them"
            )
        if settings.level == "warn":
            gaps.append(
                "TensorFlow has no warning form: operations without a deterministic form are "
                "neither refused nor named at level warn"
            )
        return gaps


def _context() -> Any:
    return sys.modules["tensorflow.python.eager.context"].context()


adapter = TensorflowAdapter()
