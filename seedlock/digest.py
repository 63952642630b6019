"""One digest for arrays, tensors, containers and objects, whatever the framework.

Equal content has one digest: a NumPy array, a torch tensor, a TensorFlow, JAX or MXNet array of
the same type, shape and bits. The bits count, not the numbers: -0.0 is not 0.0, and two NaNs with
different payloads are two values. Order counts: a list in another order, a dictionary with its
keys in another order and a set that iterates in another order have other digests.
"""

from __future__ import annotations

import os
import struct
import sys
from importlib.util import find_spec

from seedlock.errors import Undigestible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Put = Callable[[bytes | memoryview], object]
    Feed = Callable[["Digester", Any, Put], None]

LENGTH = 32
"""Hexadecimal digits of a digest: 128 bits."""

_FAST = "xxh3"
_STANDARD = "sha256"
_LITTLE = sys.byteorder == "little"


class Array:
    """What is known of one array that was digested.

    Attributes:
        dtype: name of the type, as NumPy spells it, or `bfloat16` and kin.
        shape: its shape.
        data: its bytes, little-endian and in C order; valid while the array is unchanged.
    """

    __slots__ = ("dtype", "shape", "data")

    def __init__(self, dtype: str, shape: tuple[int, ...], data: memoryview | bytes) -> None:
        self.dtype = dtype
        self.shape = shape
        self.data = data

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


class Digester:
    """Make digests with one algorithm.

    xxhash's XXH3 where the package is installed (25 GB/s against 1.3 for SHA-256 with the
    processor's own instructions, seen on an Intel Xeon), else SHA-256 cut to 128 bits. The name
    stands before each digest and in each trace: digests of different algorithms can't be compared.

    Args:
        algorithm: `xxh3`, `sha256`, or None for the first of them that is there.

    Attributes:
        algorithm: the one that is used.
    """

    def __init__(self, algorithm: str | None = None) -> None:
        self.algorithm: str = algorithm or (_FAST if find_spec("xxhash") else _STANDARD)
        self._new: Callable[[], Any]
        if self.algorithm == _FAST:
            import xxhash

            self._new = xxhash.xxh3_128
        else:
            from hashlib import sha256

            self._new = sha256

    def of(self, value: object, arrays: list[Array] | None = None) -> str:
        """Return the digest of a value, `LENGTH` hexadecimal digits.

        Args:
            value: an array, tensor, number, text, container, `pathlib.Path` of a file (its
                content), a model (its `state_dict`), or what pickle could take.
            arrays: gets each array that is met on the way, in order.

        Raises:
            Undigestible: the value holds what has no content to compare, such as a lock.
        """
        state = self._new()
        self._feed(value, state.update, arrays, {})
        text: str = state.hexdigest()
        return text[:LENGTH]

    def of_bytes(self, data: bytes | memoryview) -> str:
        """Return the digest of bytes alone, without type or length."""
        state = self._new()
        state.update(data)
        text: str = state.hexdigest()
        return text[:LENGTH]

    def _feed(
        self, value: Any, put: Put, arrays: list[Array] | None, inside: dict[int, int]
    ) -> None:
        kind = type(value)
        scalar = _SCALARS.get(kind)
        if scalar is not None:
            put(scalar(value))
            return
        known = _kinds.get(kind)
        if known is None:
            known = _kinds[kind] = _way(kind)
        found = known(value)
        if type(found) is Array:
            put(f"array {found}\n".encode())
            put(found.data)
            if arrays is not None:
                arrays.append(found)
            return
        label, parts = found
        number = inside.get(id(value))
        if number is not None:
            put(f"above {number}\n".encode())
            return
        inside[id(value)] = len(inside)
        held = list(parts)
        put(f"{label} {len(held)}\n".encode())
        for part in held:
            self._feed(part, put, arrays, inside)
        del inside[id(value)]


_default: Digester | None = None


def digest(value: object) -> str:
    """Return the digest of a value, the algorithm's name before it: `xxh3:4fd1...`.

    See `Digester.of`.

    Raises:
        Undigestible: the value holds what has no content to compare, such as a lock.
    """
    global _default
    if _default is None:
        _default = Digester()
    return f"{_default.algorithm}:{_default.of(value)}"


def _whole(value: int) -> bytes:
    return f"int {value:#x}\n".encode()  # decimal digits of a long number may be refused


def _float(value: float) -> bytes:
    return b"float\n" + struct.pack("<d", value)


def _complex(value: complex) -> bytes:
    return b"complex\n" + struct.pack("<dd", value.real, value.imag)


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"str %d\n" % len(raw) + raw


def _bytes(value: bytes | bytearray) -> bytes:
    return b"bytes %d\n" % len(value) + value


_SCALARS: dict[type, Callable[[Any], bytes]] = {
    int: _whole,
    bool: lambda value: b"bool 1\n" if value else b"bool 0\n",
    type(None): lambda _: b"None\n",
    float: _float,
    complex: _complex,
    str: _text,
    bytes: _bytes,
    bytearray: _bytes,
}


def _flat(data: Any) -> memoryview:
    return memoryview(data).cast("B") if data.nbytes else memoryview(b"")


def from_numpy(value: Any) -> Any:
    """Return a NumPy array or scalar as an `Array`; an array of objects as its elements."""
    if value.dtype.hasobject:
        return f"array object[{','.join(map(str, value.shape))}]", value.ravel().tolist()
    dtype = value.dtype
    if dtype.names is not None:
        name = str(dtype.descr)
    else:
        name = dtype.str[1:] if dtype.kind in "SU" else dtype.name
    if type(value).__name__ == "MaskedArray":
        return "masked", [value.data, value.mask]
    if not _LITTLE or dtype.byteorder == ">":
        value = value.astype(dtype.newbyteorder("<"))
    return Array(name, value.shape, _flat(value.ravel().view("u1")))


def _from_torch(value: Any) -> Any:
    torch = sys.modules["torch"]
    value = value.detach()
    name = str(value.dtype)[6:]
    if value.layout is not torch.strided:
        if value.layout is torch.sparse_coo:
            value = value.coalesce()
            return "sparse", [tuple(value.shape), value.indices(), value.values()]
        return "sparse", [tuple(value.shape), value.to_sparse_coo()]
    if value.is_quantized:
        return f"quantized {name}", [value.int_repr(), value.dequantize()]
    shape = tuple(value.shape)
    if value.is_meta:
        return Array(name, shape, b"")
    if value.device.type != "cpu":
        value = value.cpu()
    value = value.resolve_conj().resolve_neg().contiguous().reshape(-1)
    if not value.numel():
        return Array(name, shape, b"")
    return Array(name, shape, _flat(value.view(torch.uint8).numpy()))


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
    if value.dtype.name.startswith("key<"):
        return f"keys {value.dtype.name}", [sys.modules["jax"].random.key_data(value)]
    return from_numpy(value.__array__())


def _from_mxnet(value: Any) -> Any:
    if getattr(value, "stype", "default") != "default":
        value = value.tostype("default")
    return from_numpy(value.asnumpy())


def _from_file(value: Any) -> Any:
    if not value.is_file():
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
    "torch.Tensor": _from_torch,
    "torch.Module": _stateful,
    "torch.Optimizer": _stateful,
    "tensorflow._EagerTensorBase": _from_tensorflow,
    "tensorflow.CompositeTensor": _from_composite,
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


def _way(kind: type) -> Callable[[Any], Any]:
    for base in kind.__mro__:
        way = _WAYS.get(f"{base.__module__.partition('.')[0]}.{base.__qualname__}")
        if way is not None:
            return way
    if hasattr(kind, "__array__"):
        return lambda value: from_numpy(sys.modules["numpy"].asarray(value))
    return _as_object


def _as_object(value: Any) -> tuple[str, list[object]]:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        made = value.__reduce_ex__(4)
    except (TypeError, AttributeError, NotImplementedError) as problem:
        raise Undigestible(
            f"a {kind} has no content that could be compared ({problem}); allowed: arrays, "
            "tensors, numbers, text, containers and what pickle takes; pass the numbers in it"
        ) from problem
    if isinstance(made, str):
        return f"object {kind}", [made]
    function, arguments, *rest = made
    parts = [None if part is None else list(part) if at else part for at, part in enumerate(rest)]
    return f"object {kind}", [_named(function)[1][0], arguments, *parts]
