"""What is known of one array that was digested, whatever the framework."""

from __future__ import annotations

from seedlock.errors import Undigestible


class Array:
    """What is known of one array that was digested.

    Attributes:
        dtype: name of the type, as NumPy spells it, or `bfloat16` and kin.
        shape: its shape.
        data: its bytes, little-endian and in C order; valid while the array is unchanged.
        owner: what the bytes belong to, kept as long as this is, where `data` does not do that.
    """

    __slots__ = ("dtype", "shape", "data", "owner", "_text")

    def __init__(
        self, dtype: str, shape: tuple[int, ...], data: memoryview | bytes, owner: object = None
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.data = data
        self.owner = owner
        self._text = f"{dtype}[{','.join(map(str, shape))}]"

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
