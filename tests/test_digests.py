"""One digest for equal content, and different ones for different content."""

from __future__ import annotations

import collections
import threading
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as hnp

from seedlock.arrays import Array
from seedlock.digests import LENGTH, Digester, digest
from seedlock.errors import Undigestible

BOTH = pytest.mark.parametrize(
    "digester", [Digester("xxh3"), Digester("sha256")], ids=lambda digester: str(digester.algorithm)
)

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip


def bits(dtype: str, *shape: int) -> Any:
    """Return an array of a type with as many different bytes as it can have."""
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw: Any = np.arange(count, dtype=np.uint8)
    return (raw % 2 if dtype == "bool" else raw).view(dtype).reshape(shape)


@BOTH
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (4, 6), (2, 3, 4)])
def test_torch_and_numpy_agree(digester: Digester, dtype: str, shape: tuple[int, ...]) -> None:
    """Same type, shape and bits: one digest, contiguous or not, whatever the byte order."""
    array = bits(dtype, *shape)
    tensor = torch.from_numpy(array.copy())
    expected = digester.of(array)
    strided = np.zeros((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2] if shape else array.copy()
    strided[...] = array

    assert len(expected) == LENGTH
    assert digester.of(tensor) == expected
    assert digester.of(strided) == expected
    assert digester.of(tensor.mT.contiguous().mT if len(shape) > 1 else tensor) == expected
    assert digester.of(array.astype(array.dtype.newbyteorder(">"))) == expected
    assert digester.of(torch.nn.Parameter(tensor, requires_grad=False)) == expected


@BOTH
def test_bfloat16_of_torch_is_that_of_ml_dtypes(digester: Digester) -> None:
    """And half a step is another number."""
    numbers = [0.0, -0.0, 1.5, float("inf")]
    array = np.array(numbers, ml_dtypes.bfloat16)

    assert digester.of(torch.tensor(numbers, dtype=torch.bfloat16)) == digester.of(array)
    assert digester.of(torch.tensor(numbers)) != digester.of(array)


@given(hnp.arrays(hnp.floating_dtypes(endianness="<"), hnp.array_shapes(min_dims=0, min_side=0)))
def test_any_array_of_floats(array: Any) -> None:
    """Found numbers, NaNs of all payloads among them: torch and NumPy agree, in any layout."""
    one = digest(array)

    assert digest(array.copy(order="F")) == one
    if array.dtype.itemsize <= 8:
        assert digest(torch.from_numpy(array.copy())) == one


def test_views_that_torch_computes_lazily() -> None:
    """A conjugate, a negated and a transposed view have the digest of what they stand for."""
    tensor = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2]])

    assert digest(tensor.conj()) == digest(np.conj(tensor.numpy()))
    assert digest(tensor.conj().imag) == digest(-tensor.numpy().imag)
    assert digest(tensor.T) == digest(tensor.numpy().T)


@BOTH
@pytest.mark.parametrize("make", [np.array, torch.from_numpy], ids=["numpy", "torch"])
def test_the_bits_count(digester: Digester, make: Any) -> None:
    """-0.0 is not 0.0, and NaNs with different payloads are two values."""
    words = np.array([0x7FC00000, 0x7FC00001, 0xFFC00000, 0x80000000, 0], np.uint32)

    assert len({digester.of(make(each.view(np.float32))) for each in words.reshape(5, 1)}) == 5


@BOTH
def test_dtype_and_shape_count(digester: Digester) -> None:
    """The same bytes in another type or another shape are another value."""
    array: Any = np.zeros((2, 6), np.float32)
    values: list[Any] = [
        array, array.reshape(6, 2), array.reshape(12), array.reshape(1, 2, 6), array.view(np.int32),
        array.view(np.float64), array.view(np.uint8), array.tolist(), array[:0], array[:, :0],
    ]  # fmt: skip

    assert len({digester.of(value) for value in values}) == len(values)


def test_scalars_are_told_apart() -> None:
    """By type as well as by value."""
    values: list[Any] = [
        0,
        False,
        None,
        0.0,
        -0.0,
        0j,
        "",
        b"",
        "0",
        10**5000,
        (),
        [],
        {},
        set(),
        "\ud800",
    ]

    assert len({digest(value) for value in values}) == len(values)
    assert digest(np.float32(1)) == digest(torch.tensor(1.0))


@BOTH
def test_order_counts(digester: Digester) -> None:
    """Of a list, of a dictionary's keys and of a set as it iterates."""
    one, other = {8, 0}, {0, 8}  # of one length: which comes first is the order of entering

    assert digester.of([1, 2]) != digester.of([2, 1])
    assert digester.of({"a": 1, "b": 2}) != digester.of({"b": 2, "a": 1})
    assert one == other and list(one) != list(other)
    assert digester.of(one) != digester.of(other)
    assert digester.of([1, 2]) != digester.of((1, 2))
    assert digester.of([[1], [2]]) != digester.of([[1, 2]])


def test_cycles_end() -> None:
    """What holds itself is told from what holds a copy of itself, and has one digest."""

    def ring() -> list[object]:
        held: list[object] = [1]
        held.append({"self": held})
        return held

    assert digest(ring()) == digest(ring())
    assert digest(ring()) != digest([1, {"self": [1]}])


@dataclass
class Point:
    """An object with content."""

    x: Any
    y: Any = None


def test_objects_are_what_pickle_takes() -> None:
    """Dataclasses, named tuples, ordered dictionaries, functions, models."""
    pair = collections.namedtuple("pair", "a b")
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2)
    before = digest(model)
    with torch.no_grad():
        model.bias[0] += 1

    assert digest(Point(np.ones(2))) == digest(Point(torch.ones(2, dtype=torch.float64)))
    assert digest(Point(1)) != digest(Point(2)) != digest(Point(1, 2))
    assert digest(pair(1, 2)) != digest(pair(2, 1))
    assert digest(collections.OrderedDict(a=1)) == digest(collections.OrderedDict(a=1))
    assert digest(digest) == digest(digest) != digest(Point)
    assert digest(model) != before


def test_arrays_of_objects_structures_and_masks() -> None:
    """Bytes that belong to nobody, between fields and below a mask, don't count."""
    packed = np.array([(1, 2.0)], [("a", "u1"), ("b", "<f8")])
    aligned = np.frombuffer(b"\x05" * 16, np.dtype([("a", "u1"), ("b", "<f8")], align=True)).copy()
    aligned["a"], aligned["b"] = 1, 2.0
    masking: Any = np.ma.array
    masked = [masking([1.0, hidden], mask=[False, True]) for hidden in (2.0, 3.0)]

    assert digest(aligned) == digest(packed)
    assert digest(masked[0]) == digest(masked[1]) != digest(np.array([1.0, 2.0]))
    assert digest(np.array([1, "a", None], object)) != digest(np.array([1, "b", None], object))
    assert digest(np.array(["a", "bc"])) != digest(np.array([b"a", b"bc"]))
    assert digest(np.array(["2020-01-01"], "datetime64[D]")) != digest(
        np.array(["2020-01-01"], "datetime64[s]")
    )


def test_tensors_of_other_layouts() -> None:
    """Sparse, nested, quantized, zero without memory, and classes made of other tensors."""
    from torch.testing._internal.two_tensor import TwoTensor

    sparse = torch.eye(3).to_sparse()
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    jagged = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    quantized = torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8)
    others = [
        sparse, sparse * 2, torch.eye(3), torch.eye(3).to_sparse_csr() * 3, nested, nested * 2,
        jagged, jagged * 2, quantized, TwoTensor(torch.ones(2), torch.ones(2)),
        TwoTensor(torch.ones(2), torch.zeros(2)),
    ]  # fmt: skip

    assert len({digest(value) for value in others}) == len(others)
    assert digest(torch._efficientzerotensor(3)) == digest(torch.zeros(3))
    assert digest(torch.eye(3).to_mkldnn()) == digest(torch.eye(3).to_mkldnn())


def test_files_are_their_content(tmp_path: Path) -> None:
    """A path of a file is what the file holds; any other path is itself."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 3_000_000)
    other.write_bytes(b"x" * 3_000_000)
    same = digest(one) == digest(other)
    other.write_bytes(b"x" * 2_999_999 + b"y")

    assert same and digest(one) != digest(other)
    assert digest(tmp_path / "none") != digest(tmp_path / "no")
    assert digest(PurePath(one)) != digest(PurePath(other)) != digest(other)


def deep() -> list[Any]:
    """Return a list deeper than the interpreter can follow."""
    held: list[Any] = []
    for _ in range(100_000):
        held = [held]
    return held


class Refusing:
    """An object that pickle can't take either."""

    def __reduce_ex__(self, _: object) -> Any:
        raise ValueError("not me\nfor many reasons")


class Broken:
    """An object whose own look-up fails."""

    def __reduce_ex__(self, _: object) -> Any:
        raise KeyError("not here")


class Reduced:
    """An object that says how to set its state, in six parts (docs.python.org, pickle)."""

    def __init__(self, state: int) -> None:
        self.state = state

    def __reduce_ex__(self, _: object) -> Any:
        return Reduced, (0,), {"state": self.state}, iter([1]), iter([("a", 2)]), setattr


def test_all_parts_of_a_reduced_object_count() -> None:
    """The function that sets the state is one of them."""
    assert digest(Reduced(1)) == digest(Reduced(1)) != digest(Reduced(2))


def test_what_has_no_content_is_refused() -> None:
    """With what it is, in one line."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake = torch.ones(2)
    lock, generator = threading.Lock(), (each for each in "ab")
    for value in (lock, [1, {"a": lock}], generator, Refusing(), Broken(), deep(), fake):
        with pytest.raises(Undigestible, match="has no content") as refused:
            digest(value)

        assert "\n" not in str(refused.value)


def test_arrays_are_handed_out_with_their_bytes() -> None:
    """In the order in which they are met, those of a tensor that is gone as well."""
    found: list[Array] = []
    Digester().of({"a": torch.arange(6).reshape(2, 3).T * 1, "b": [np.float32(1)]}, found)

    assert [str(each) for each in found] == ["int64[3,2]", "float32[]"]
    assert bytes(found[0].data) == np.array([[0, 3], [1, 4], [2, 5]]).tobytes()
    assert bytes(found[1].data) == np.float32(1).tobytes()


def test_digests_of_two_algorithms_differ_and_say_so() -> None:
    """The algorithm stands before the digest."""
    one, other = Digester("xxh3"), Digester("sha256")

    assert one.of(1) != other.of(1)
    assert digest(1) == f"xxh3:{one.of(1)}"
    assert len(other.of(1)) == LENGTH


def test_whoever_watches_tensors_sees_nothing() -> None:
    """Modes of the program's own must not see how seedlock reads a tensor."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, function: Any, *_: Any) -> Any:
            raise AssertionError(function)

    class Hear(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, function: Any, *_: Any) -> Any:
            raise AssertionError(function)

    values = [torch.ones(3), torch.ones(3, 2).T, torch.ones(2, requires_grad=True)]
    expected = [digest(value) for value in values]

    with Watch(), Hear():
        assert [digest(value) for value in values] == expected
