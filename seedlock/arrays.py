"""What is known of one array that was digested, whatever the framework."""

from __future__ import annotations

from seedlock.errors import Undigestible

KINDS = 4096
"""How many types with shapes are remembered as text: a trace meets the same few at each step."""

_texts: dict[tuple[str, tuple[int, ...]], tuple[str, bytes]] = {}


class Array:
    """What is known of one array that was digested.

    Attributes:
        dtype: name of the type, as NumPy spells it, or `bfloat16` and kin.
        shape: its shape.
        data: its bytes, little-endian and in C order; valid while the array is unchanged.
        owner: what the bytes belong to, kept as long as this is, where `data` does not do that.
        head: what a digest takes in before the bytes.
    """

    __slots__ = ("dtype", "shape", "data", "owner", "head", "_text")

    def __init__(
        self, dtype: str, shape: tuple[int, ...], data: memoryview | bytes, owner: object = None
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.data = data
        self.owner = owner
        known = _texts.get((dtype, shape))
        if known is None:
            if len(_texts) >= KINDS:
                _texts.clear()
            text = f"{dtype}[{','.join(map(str, shape))}]"
            known = _texts[dtype, shape] = text, f"array {text}\n".encode()
        self._text, self.head = known

    def __str__(self) -> str:
        return self._text


def without_content(value: object, problem: Exception) -> Undigestible:
    """Return the error for a value that has no content to compare."""
    why = str(problem).partition("\n")[0][:200]
    return Undigestible(
        f"a {type(value).__module__}.{type(value).__qualname__} has no content that could be "
        f"compared ({why}); allowed: arrays, tensors, numbers, text, containers and what "
        "pickle takes; pass the numbers in it"
    )
