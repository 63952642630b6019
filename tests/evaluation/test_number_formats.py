"""Bits as numbers, and distances between them."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock.evaluation.number_formats import FLOATS, distance, hexadecimal, shown, size_of

FORMATS = {"float16": "<e", "float32": "<f", "float64": "<d"}


def bits(value: int, dtype: str) -> bytes:
    """Return an element of the given bits."""
    size = size_of(dtype)
    assert size is not None
    return value.to_bytes(size, "little")


@pytest.mark.parametrize("dtype", FORMATS)
@given(data=st.data())
def test_neighbours_are_one_ulp_apart(dtype: str, data: st.DataObject) -> None:
    """From each finite number to the next larger one, and n of these steps make n."""
    width = 8 * FLOATS[dtype]
    largest = {16: 0x7C00, 32: 0x7F800000, 64: 0x7FF0000000000000}[width]
    one = data.draw(st.integers(-largest, largest))
    other = data.draw(st.integers(-largest, largest))

    def element(order: int) -> bytes:
        return bits(order if order >= 0 else (1 << (width - 1)) - order, dtype)

    first, second = (struct.unpack(FORMATS[dtype], element(n))[0] for n in (one, other))
    assert (one < other) == (first < second)
    assert distance(element(one), element(other), dtype) == abs(one - other)


@given(one=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_is_shown_in_as_few_digits_as_name_it(one: float) -> None:
    """What is shown reads back to the same bits, and is no longer than as a float64."""
    data = struct.pack("<f", one)
    text = shown(data, "float32")

    assert struct.pack("<f", float(text)) == data
    assert len(text) <= len(repr(one))


@given(st.floats(allow_nan=False))
def test_a_float64_is_shown_as_python_does(one: float) -> None:
    """repr names one float64."""
    assert shown(struct.pack("<d", one), "float64") == repr(one)


def test_both_zeros_are_told_apart_and_none_between() -> None:
    """0.0 and -0.0 are 0 ulp apart, and their bits and text differ."""
    zero, minus = bits(0, "float32"), bits(0x80000000, "float32")

    assert distance(zero, minus, "float32") == 0
    assert (shown(zero, "float32"), shown(minus, "float32")) == ("0.0", "-0.0")
    assert hexadecimal(minus, "float32") == "0x80000000"
    assert distance(minus, bits(1, "float32"), "float32") == 1
    assert distance(bits(0x80000001, "float32"), bits(1, "float32"), "float32") == 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_nan_is_at_no_distance(dtype: str) -> None:
    """NaNs have payloads, which the bits show, and no distance."""
    size = FLOATS[dtype]
    nan = bits((1 << (8 * size - 1)) - 1, dtype)

    assert shown(nan, dtype) == "nan"
    assert distance(nan, bits(0, dtype), dtype) is None
    assert hexadecimal(nan, dtype) == "0x7f" + "ff" * (size - 1)


@pytest.mark.parametrize(
    "dtype",
    ["bfloat16", *sorted(name for name in FLOATS if name.startswith("float8"))],
)
def test_small_formats_are_those_of_ml_dtypes(dtype: str) -> None:
    """Each code has the value that the format's own library gives it."""
    import ml_dtypes
    import numpy

    size = FLOATS[dtype]
    codes: Any = numpy.arange(1 << (8 * size), dtype=f"<u{size}")[:: 1 if size == 1 else 97].copy()
    with numpy.errstate(invalid="ignore"):  # signalling NaNs
        values = codes.view(getattr(ml_dtypes, dtype)).astype("float64").tolist()

    for code, value in zip(codes.tolist(), values, strict=True):
        text = float(shown(bits(code, dtype), dtype))
        assert text == value or (math.isnan(text) and math.isnan(value)), code
        if text == 0:
            assert math.copysign(1, text) == math.copysign(1, value), code


@given(one=st.integers(-(2**63), 2**63 - 1), other=st.integers(-(2**63), 2**63 - 1))
def test_integers_are_their_difference_apart(one: int, other: int) -> None:
    """Signed and unsigned integers of all sizes."""
    first, second = (n.to_bytes(8, "little", signed=True) for n in (one, other))

    assert distance(first, second, "int64") == abs(one - other)
    assert shown(first, "int64") == str(one)
    assert shown(b"\xff", "uint8") == "255"
    assert distance(b"\xff", b"\x00", "uint8") == 255


def test_complex_numbers_are_measured_by_component() -> None:
    """The larger distance counts; both components are shown."""
    one, other = struct.pack("<ff", 1.0, -2.0), struct.pack("<2I", 0x3F800001, 0xC0000003)

    assert distance(one, other, "complex64") == 3
    assert shown(one, "complex64") == "1.0-2.0j"
    assert hexadecimal(one, "complex64") == "0x3f800000 0xc0000000"


def test_truth_values_and_unknown_types_have_no_distance() -> None:
    """A bool is shown as one, another type as an integer of its bits."""
    assert distance(b"\0", b"\1", "bool") is None
    assert shown(b"\1", "bool") == "True"
    assert size_of("key<fry>") is None
    assert distance(b"\0", b"\1", "qint8") is None
