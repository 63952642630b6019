"""Operations of PyTorch whose bits depend on the processor's maker, in a form that does not.

PyTorch's wheels compute these with MKL's vector mathematics, which begins with the processor's own
approximations of reciprocals and square roots (RCPPS, RSQRTPS). Their bits are the maker's choice,
and no branch of MKL_CBWR is without them on all makers. NumPy's square root is the correctly
rounded one of IEEE 754, and its other functions here come from the C library.
"""

from __future__ import annotations

import warnings
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VARIABLES = {"ATEN_CPU_CAPABILITY": "avx2", "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2"}
"""Instruction sets of PyTorch's own kernels, and of FBGEMM's for quantised models."""

FUNCTIONS = {
    "sqrt": "sqrt", "acos": "arccos", "asin": "arcsin", "atan": "arctan", "tan": "tan",
}  # fmt: skip
"""PyTorch's operations and the functions of NumPy that take their place; a power of 0.5 is the
square root, and `logit` is made of NumPy's logarithm. Found by comparing 209 operations under qemu
as Haswell and as EPYC (torch 2.13.0); of `cdist`, which differed too, it was the square root."""

_library: Any = None


def replace(torch: Any) -> None:
    """Replace the operations for float32 and float64 on the CPU, once per process.

    Does nothing where PyTorch can't return its own kernel (before 2.9), which other types need, or
    where NumPy is missing.
    """
    global _library
    if _library is not None or not hasattr(torch.library, "get_kernel"):
        return
    try:
        import numpy
    except ImportError:
        return
    _library = torch.library.Library("aten", "IMPL")
    functions = {name: getattr(numpy, function) for name, function in FUNCTIONS.items()}
    functions["logit"] = partial(_logit, numpy)
    for name, function in functions.items():
        for overload in (name, f"{name}.out", f"{name}_"):
            _implement(torch, overload, function, numpy.errstate)
    for overload in ("pow.Tensor_Scalar", "pow.Tensor_Scalar_out", "pow_.Scalar"):
        _implement(torch, overload, partial(_root, numpy), numpy.errstate, (0.5,))


def gaps() -> list[str]:
    """Return what of PyTorch may differ between processors all the same."""
    gaps = ["torch.compile compiles for the processor that it finds"]
    if _library is None:
        gaps.append(
            f"on the CPU, bits of {', '.join(FUNCTIONS)}, logit and a power of 0.5 differ between "
            "makers of processors: MKL computes them from the processor's own approximations"
        )
    return gaps


def _root(numpy: Any, values: Any, exponent: float, out: Any) -> None:
    assert exponent == 0.5
    numpy.sqrt(values, out=out)


def _logit(numpy: Any, values: Any, eps: float | None = None, *, out: Any) -> None:
    if eps is not None:
        values = numpy.clip(values, eps, 1 - eps)
    numpy.log(values / (1 - values), out=out)


def _implement(
    torch: Any, overload: str, function: Any, quiet: Any, only: tuple[float, ...] = ()
) -> None:
    kernel = torch.library.get_kernel(f"aten::{overload}", "CPU")
    floats = (torch.float32, torch.float64)
    in_place = overload.split(".")[0].endswith("_")

    def computed(keys: Any, self: Any, *more: Any, out: Any = None) -> Any:
        given = {} if out is None else {"out": out}
        if only and more != only:
            return kernel.call_boxed(keys, self, *more, **given)
        if out is None and not in_place:
            if not (self.is_floating_point() or self.is_complex()):
                self = self.to(torch.get_default_dtype())  # as PyTorch does
            result = torch.empty_like(self)
        else:
            result = self if in_place else out
            if out is not None and not out.numel() and out.dtype is self.dtype:
                out.resize_(self.shape)  # as PyTorch does, without a warning
        fits = result.dtype is self.dtype and result.shape == self.shape
        if self.dtype not in floats or not fits:
            return kernel.call_boxed(keys, self, *more, **given)
        with quiet(invalid="ignore", divide="ignore"):  # PyTorch does not warn of a NaN
            function(self.detach().numpy(), *more, out=result.detach().numpy())
        return result

    assert _library is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch says that a kernel is replaced
        _library.impl(overload, computed, "CPU", with_keyset=True)
