"""Operations of TensorFlow whose bits depend on the processor's maker, in a form that does not.

On processors with AVX, Eigen computes reciprocals and reciprocal square roots of float32 from the
processor's own approximations (RCPPS, RSQRTPS), whose bits are the maker's choice, and improves
them by a Newton step, which leaves some of the difference (Eigen, src/Core/MathFunctionsImpl.h,
generic_rsqrt_newton_step). There is no such instruction for float64: what is computed in float64
and rounded is the same everywhere.
"""

from __future__ import annotations

import sys
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OPERATIONS = {
    "gen_math_ops": ("rsqrt", "reciprocal", "inv", "atan", "erfc", "erfinv", "ndtri"),
    "gen_nn_ops": ("softmax",),
}
"""Functions of one argument that are computed in float64, found by comparing 121 operations under
qemu as Haswell (tensorflow 2.21.0)."""

OPTIONS = {"arithmetic_optimization": False, "constant_folding": False, "remapping": False}
"""Graph optimizers that write `x / sqrt(y)` as `x * rsqrt(y)`, `1 / x` as `reciprocal(x)`, or fuse
operations into ones that do (grappler's arithmetic_optimizer.cc, constant_folding.cc,
remapper.cc)."""

GAP = (
    "on the CPU, bits of TensorFlow's float32 fused_batch_norm and lrn, and of rsqrt, reciprocal, "
    "softmax, atan, erfc, erfinv and ndtri in tf.raw_ops and in loaded graphs, differ between "
    "makers of processors: Eigen computes them from the processor's own approximations"
)

_PLAIN = "_seedlock_{}"


def replace(tensorflow: Any) -> None:
    """Compute the operations' float32 in float64, once per process.

    The functions change in place, since dispatchers, exports and gradients hold them.
    """
    for module_name, names in OPERATIONS.items():
        module: Any = sys.modules[f"tensorflow.python.ops.{module_name}"]
        for name in names:
            _, function = tensorflow.__internal__.decorator.unwrap(getattr(module, name))
            if _PLAIN.format(name) not in function.__globals__:
                _widen(tensorflow, function)
    tensorflow.config.optimizer.set_experimental_options(OPTIONS)


def flags(context: Any) -> dict[str, object]:
    """Read the graph optimizers' switches back; those that nobody set are None.

    TensorFlow's own function for it looks for devices, which would be too early.
    """
    options = context._optimizer_experimental_options
    return {f"optimizer.{name}": options.get(name) for name in OPTIONS}


def _widen(tensorflow: Any, function: Any) -> None:
    name, scope = function.__name__, function.__globals__
    plain = FunctionType(
        function.__code__, scope, name, function.__defaults__, function.__closure__
    )
    argument = function.__code__.co_varnames[0]
    code: dict[str, Any] = {}
    # Only code without free variables can take the place of the function's own.
    exec(  # noqa: S102
        f"def {name}({argument}, name=None): return {_PLAIN.format(name)}({argument}, name)", code
    )
    scope[_PLAIN.format(name)] = _in_float64(tensorflow, plain)
    function.__code__ = code[name].__code__


def _in_float64(tensorflow: Any, plain: Callable[..., Any]) -> Callable[[Any, str | None], Any]:
    float32, float64 = tensorflow.float32, tensorflow.float64

    def wide(x: Any, name: str | None) -> Any:
        tensor = tensorflow.convert_to_tensor(x)
        if tensor.dtype != float32:
            return plain(x, name=name)
        return tensorflow.cast(plain(tensorflow.cast(tensor, float64), name=name), float32)

    return wide
