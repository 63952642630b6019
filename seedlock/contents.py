"""What of a value counts: the bytes of arrays, the parts of containers and objects, one way for
each type of each framework.
"""

from __future__ import annotations

import os
import sys
from pickle import PickleError

from seedlock.arrays import Array, without_content
from seedlock.torch_contents import from_torch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


_LITTLE = sys.byteorder == "little"


def content(value: Any) -> Any:
    """Return an `Array`, or a label and the parts, of what is no number, text or bytes.

    Raises:
        Undigestible: the value has no content to compare, such as a lock.
    """
    kind = type(value)
    way = _kinds.get(kind)
    if way is None:
        way = _kinds[kind] = _way(kind)
    return way(value)


def from_numpy(value: Any) -> Any:
    """Return a NumPy array or scalar as an `Array`; an array of objects as its elements."""
    if value.dtype.hasobject:
        return f"array object[{','.join(map(str, value.shape))}]", value.ravel().tolist()
    dtype = value.dtype
    if dtype.names is not None:
        packed = _packed(dtype)  # the bytes between fields were written by nobody
        if packed.itemsize != dtype.itemsize:
            value, dtype = value.astype(packed), packed
        name = str(dtype.descr).replace(" ", "")
    else:
        name = dtype.str[1:] if dtype.kind in "SU" else dtype.name
    if type(value).__name__ == "MaskedArray":
        mask, value = value.mask, value.data.copy()
        if dtype.names is None:
            value[mask] = sys.modules["numpy"].zeros((), dtype)  # whatever lies there counts not
        return "masked", [value, mask]
    if not _LITTLE or dtype.byteorder == ">":
        value = value.astype(dtype.newbyteorder("<"))
    if not value.nbytes:
        return Array(name, value.shape, b"")
    flat = sys.modules["numpy"].ascontiguousarray(value).reshape(-1)
    return Array(name, value.shape, memoryview(flat.view("u1")))


def _packed(dtype: Any) -> Any:
    if dtype.names is None:
        return dtype
    fields = [(name, _packed(dtype.fields[name][0])) for name in dtype.names]
    return sys.modules["numpy"].dtype(fields)


def _from_tensorflow(value: Any) -> Any:
    inside = getattr(value, "_numpy", None)
    if inside is None:  # a variable, which an open GradientTape would take for a read one
        with sys.modules["tensorflow.python.eager.record"].stop_recording():
            return _from_tensorflow(value.value())
    held = inside()  # what numpy() would copy
    return from_numpy(held) if hasattr(held, "dtype") else ("tensor", [held])


def _from_composite(value: Any) -> Any:
    return f"composite {type(value).__name__}", value._type_spec._to_components(value)


def _from_jax(value: Any) -> Any:
    if value.is_deleted():
        return "deleted", ()
    if not value.is_fully_addressable:  # spread over processes: this one's part
        return "shards", [each.data for each in value.addressable_shards]
    if value.dtype.name.startswith("key<"):
        return f"keys {value.dtype.name}", [sys.modules["jax"].random.key_data(value)]
    return from_numpy(value.__array__())


def _from_mxnet(value: Any) -> Any:
    if getattr(value, "stype", "default") != "default":
        value = value.tostype("default")
    return from_numpy(value.asnumpy())


def _from_file(value: Any) -> Any:
    if not hasattr(value, "is_file") or not value.is_file():  # a pure path names no file
        return "path", [os.fspath(value)]
    return "file", _blocks(value)


def _blocks(path: Any) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            yield block


def _sequence(value: Any) -> Any:
    return type(value).__name__, value


def _mapping(value: Any) -> Any:
    return "dict", [part for pair in value.items() for part in pair]


def _named(value: Any) -> Any:
    return "name", [f"{value.__module__}.{value.__qualname__}"]


def _stateful(value: Any) -> Any:
    return f"state {type(value).__qualname__}", [value.state_dict()]


def _weights(value: Any) -> Any:
    return f"weights {type(value).__qualname__}", value.get_weights()


def _parameters(value: Any) -> Any:
    return "dict", [
        part for name, each in value.collect_params().items() for part in (name, each.data())
    ]


_WAYS: dict[str, Callable[[Any], Any]] = {
    "builtins.list": _sequence,
    "builtins.tuple": _sequence,
    "builtins.set": _sequence,
    "builtins.frozenset": _sequence,
    "builtins.dict": _mapping,
    "builtins.mappingproxy": _mapping,
    "builtins.function": _named,
    "builtins.builtin_function_or_method": lambda value: ("name", [value.__qualname__]),
    "builtins.type": _named,
    "builtins.module": lambda value: ("name", [value.__name__]),
    "collections.Mapping": _mapping,
    "pathlib.PurePath": _from_file,
    "numpy.ndarray": from_numpy,
    "numpy.generic": from_numpy,
    "torch.Tensor": from_torch,
    "torch.Module": _stateful,
    "torch.Optimizer": _stateful,
    "tensorflow._EagerTensorBase": _from_tensorflow,
    "tensorflow.CompositeTensor": _from_composite,
    "tensorflow.DistributedValues": lambda value: ("replicas", value.values),
    "tensorflow.BaseResourceVariable": _from_tensorflow,
    "keras.Variable": lambda value: ("variable", [value.value]),
    "keras.Layer": _weights,
    "jax.ArrayImpl": _from_jax,
    "jaxlib.ArrayImpl": _from_jax,
    "jax.PRNGKeyArray": _from_jax,
    "mxnet.NDArray": _from_mxnet,
    "mxnet.Parameter": lambda value: ("parameter", [value.data()]),
    "mxnet.Block": _parameters,
}
"""How a class is digested, by package and name of the class itself or of the nearest one that it
comes from: modules inside packages move from version to version (JAX's keys did in 0.10). A way
returns an `Array`, or a label and the parts."""

_kinds: dict[type, Callable[[Any], Any]] = {}

_REFUSALS = (TypeError, AttributeError, ValueError, RuntimeError, LookupError, PickleError)
"""What objects raise that can't say what they consist of."""


def _way(kind: type) -> Callable[[Any], Any]:
    for base in kind.__mro__:
        way = _WAYS.get(f"{base.__module__.partition('.')[0]}.{base.__qualname__}")
        if way is not None:
            return way
    if hasattr(kind, "__array__") and "numpy" in sys.modules:
        return lambda value: from_numpy(sys.modules["numpy"].asarray(value))
    return _as_object


def _as_object(value: Any) -> tuple[str, list[object]]:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        made = value.__reduce_ex__(4)
    except _REFUSALS as problem:
        raise without_content(value, problem) from problem
    if isinstance(made, str):
        return f"object {kind}", [made]
    function, arguments, *rest = made  # state, items of a list, of a dict, what sets the state
    parts = [
        list(part) if part is not None and at in (1, 2) else part for at, part in enumerate(rest)
    ]
    return f"object {kind}", [_named(function)[1][0], arguments, *parts]
