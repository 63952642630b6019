"""One digest for arrays, tensors, containers and objects, whatever the framework.

Equal content has one digest: a NumPy array, a torch tensor, a TensorFlow, JAX or MXNet array of
the same type, shape and bits. The bits count, not the numbers: -0.0 is not 0.0, and two NaNs with
different payloads are two values. Order counts: a list in another order, a dictionary with its
keys in another order and a set that iterates in another order have other digests.
"""

from __future__ import annotations

import struct
from importlib.util import find_spec

from seedlock.arrays import Array, without_content
from seedlock.contents import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Put = Callable[[bytes | memoryview], object]

LENGTH = 32
"""Hexadecimal digits of a digest: 128 bits."""

_FAST = "xxh3"
_STANDARD = "sha256"


class Digester:
    """Make digests with one algorithm.

    xxhash's XXH3 where the package is installed, else SHA-256 cut to 128 bits, the fastest digest
    of the standard library where the processor has instructions for it (SHA extensions), as those
    of the last years have: 1.31 GB/s on an Intel Xeon, SHA-1 1.26, BLAKE2b 0.76, XXH3 14.7
    (benchmarks/digest.py). Elsewhere another may be faster, but a choice at run time would give two
    machines digests that can't be compared.

    A digest is there to find a difference between two runs; XXH3 is no guard against values that
    somebody made to share one: the digests of files in records are SHA-256 always
    (evaluation/file_digests.py). The name stands before each digest and in each trace: digests of
    different algorithms can't be compared.

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
        try:
            self._feed(value, state.update, arrays, {})
        except RecursionError as problem:
            raise without_content(value, problem) from problem
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
        found = content(value)
        if type(found) is Array:
            put(found.head)
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
