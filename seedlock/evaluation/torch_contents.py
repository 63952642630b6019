"""Names, types and shapes of the tensors in a `.pt` file, read without PyTorch and without running
anything that the file names.

torch.save writes a zip archive of one folder: `data.pkl`, a pickle in which each storage is a
persistent id, and `data/KEY` with each storage's bytes (torch/serialization.py, 2.13).
"""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.evaluation.array_contents import Number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IGNORED = (".data/serialization_id",)
"""Members that say nothing about the content: a hash that differs whenever the folder's does."""

_STORAGES = {
    "FloatStorage": ("float32", 4), "DoubleStorage": ("float64", 8), "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2), "LongStorage": ("int64", 8), "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2), "CharStorage": ("int8", 1), "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1), "ComplexFloatStorage": ("complex64", 8),
    "ComplexDoubleStorage": ("complex128", 16),
}  # fmt: skip

DEEP = 60
"""Levels of nesting that are looked at."""


class UnreadablePickle(ValueError):
    """A pickle is broken, or holds what a reader that runs nothing can't take in."""


class Storage(NamedTuple):
    """A storage that a tensor lies in."""

    kind: str
    key: str


class Tensor(NamedTuple):
    """A tensor's place in a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def whole(self) -> bool:
        """Whether the storage holds this tensor's elements alone, in C order."""
        expected, steps = 1, []
        for size in reversed(self.shape):
            steps.append(expected)
            expected *= size
        return self.offset == 0 and self.stride == tuple(reversed(steps))


class Thing:
    """Stands for an object of any class; nothing of the class is run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.made_of: tuple[Any, ...] = ()
        self.state: Any = None
        self.items: dict[Any, Any] = {}
        self.elements: list[Any] = []

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items[key] = value

    def append(self, value: Any) -> None:
        """Take an element, as an unpickler hands it over."""
        self.elements.append(value)

    def extend(self, values: Any) -> None:
        """Take several elements."""
        self.elements.extend(values)


class Ordered(dict[Any, Any]):
    """Stands for an OrderedDict, which may have attributes, as a state_dict's `_metadata`."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return Ordered
        if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_tensor"):
            return _tensor
        if module == "torch._utils" and name.startswith("_rebuild_parameter"):
            return lambda data, *_: data
        return _maker(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        # ("storage", type, key, device, elements)
        kind = getattr(pid[1], "thing", str(pid[1]))
        return Storage(kind.rpartition(".")[2], str(pid[2]))


def contents(pickled: bytes) -> Any:
    """Return what `data.pkl` holds: dictionaries, lists, numbers, `Tensor`s and `Thing`s.

    Raises:
        UnreadablePickle: it can't be read.
    """
    try:
        return _Unpickler(io.BytesIO(pickled)).load()
    except (
        pickle.UnpicklingError, EOFError, ImportError, IndexError, KeyError, TypeError, ValueError,
        AttributeError, OverflowError, MemoryError, RecursionError,
    ) as problem:  # fmt: skip
        raise UnreadablePickle(f"{type(problem).__name__}: {problem}") from problem


def leaves(value: Any, path: str = "", deep: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the parts of what `contents` returned, each with its path: `model['fc.weight']`."""
    if deep > DEEP:
        yield path, "deeper than seedlock looks"
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}[{key!r}]", deep + 1)
        yield from leaves(getattr(value, "__dict__", None), f"{path}.", deep + 1)
    elif isinstance(value, list | tuple) and not isinstance(value, Tensor | Storage):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{index}]", deep + 1)
    elif isinstance(value, Thing):
        yield f"{path}:class", value.name
        yield from leaves(value.made_of, f"{path}.", deep + 1)
        yield from leaves(value.state, f"{path}.", deep + 1)
        yield from leaves(value.items, path, deep + 1)
        yield from leaves(value.elements, path, deep + 1)
    elif value is not None:
        yield path, value


def tensors(parts: list[tuple[str, Any]]) -> dict[str, tuple[str, Tensor]]:
    """Return for each storage's key the first tensor in it, with its path."""
    found: dict[str, tuple[str, Tensor]] = {}
    for path, value in parts:
        if isinstance(value, Tensor):
            found.setdefault(value.storage.key, (path, value))
    return found


def number(tensor: Tensor, little: bool = True) -> Number | None:
    """Return the format of a tensor's elements, None where it is not known."""
    known = _STORAGES.get(tensor.storage.kind)
    return None if known is None else Number(*known, little)


def _tensor(storage: Storage, offset: int, shape: Any, stride: Any, *_: Any) -> Tensor:
    return Tensor(storage, offset, tuple(shape), tuple(stride))


def _maker(name: str) -> Callable[..., Thing]:
    class Made(Thing):
        thing = name

        def __new__(cls, *_: Any, **__: Any) -> Made:
            return super().__new__(cls)

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(name)
            self.made_of = (*args, options) if options else args

    return Made
