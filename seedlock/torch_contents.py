"""PyTorch's tensors as arrays: read where they lie, seen by nobody who watches tensors."""

from __future__ import annotations

import sys

from seedlock.arrays import Array, without_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def from_torch(value: Any) -> Any:
    """Return a PyTorch tensor as an `Array`, or a label and the tensors that it consists of.

    Raises:
        Undigestible: it has no numbers, inside a transformation or a compiler.
    """
    # Whoever watches tensors in this process, a mode of the program's own or seedlock's, must not
    # see what is done to them here.
    torch = sys.modules["torch"]
    with torch._C.DisableTorchFunction():
        kind = type(value)
        if kind is not torch.Tensor and kind is not torch.nn.Parameter:
            inside = getattr(value, "__tensor_flatten__", None)
            if inside is not None:  # of several tensors: a DTensor, a quantized one
                return f"wrapped {kind.__qualname__}", [getattr(value, at) for at in inside()[0]]
        try:
            if value.layout is torch.strided and value.device.type == "cpu":
                if not (value.is_contiguous() and value.numel()) or value.is_quantized:
                    return _copied(torch, value)
                if not (value.is_conj() or value.is_neg()):
                    return _in_place(value)
            return _copied(torch, value)
        except RuntimeError as problem:  # inside a transformation or a compiler: no numbers yet
            if value._is_zerotensor():
                return Array(_torch_names(value.dtype), tuple(value.shape), bytes(value.nbytes))
            if value.is_nested:
                return "nested", list(value.detach().unbind())
            raise without_content(value, problem) from problem


def _in_place(value: Any) -> Array:
    # Ten times faster than what torch has for it, and seen by nobody.
    global _char
    if _char is None:
        import ctypes

        _char = ctypes.c_char
    at = value.data_ptr()
    if not at:
        raise RuntimeError("it has no memory")
    data = (_char * value.nbytes).from_address(at)
    return Array(_torch_names(value.dtype), tuple(value.shape), memoryview(data).cast("B"), value)


def _copied(torch: Any, value: Any) -> Any:
    with torch._C._DisableTorchDispatch(), torch.no_grad():
        name = _torch_names(value.dtype)
        if value.layout is torch.sparse_coo:
            value = value.detach().coalesce()
            return "sparse", [tuple(value.shape), value.indices(), value.values()]
        if value.layout is torch._mkldnn:
            value = value.to_dense()
        if value.layout is not torch.strided:
            return "sparse", [tuple(value.shape), value.detach().to_sparse_coo()]
        if value.is_quantized:
            return f"quantized {name}", [value.int_repr(), value.dequantize()]
        if value.is_meta or not value.numel():
            return Array(name, tuple(value.shape), b"")
        value = value.detach().cpu().resolve_conj().resolve_neg()
        return _in_place(value.contiguous())


def _torch_names(dtype: Any) -> str:
    name = _names.get(dtype)
    if name is None:
        name = _names[dtype] = str(dtype)[6:]
    return name


_names: dict[object, str] = {}
_char: Any = None  # ctypes.c_char, once it is needed
