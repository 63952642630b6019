"""Numbers as the frameworks store them: bits to text, and the distance between two.

Formats of floating point: IEEE 754-2019; bfloat16 and the 8-bit formats as the ml_dtypes project
(README, "Specifications of implemented floating point formats") and the Open Compute Project's
OFP8 1.0 describe them.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

ULP = "ulp"
"""Unit in the last place: the number of representable values between two, as integers whose order
is that of the numbers. 0.0 and -0.0 are 0 apart."""

DIFFERENCE = "difference"
"""Unit of a distance between integers."""


class Small(NamedTuple):
    """An 8-bit float: bits of mantissa, bias of the exponent, and which codes are no numbers.

    `ieee` has infinities and NaNs at the largest exponent, `fn` one NaN per sign at all ones,
    `fnuz` one NaN at the code of -0.0.
    """

    mantissa: int
    bias: int
    style: str


SMALL = {
    "float8_e3m4": Small(4, 3, "ieee"),
    "float8_e4m3": Small(3, 7, "ieee"),
    "float8_e4m3fn": Small(3, 7, "fn"),
    "float8_e4m3fnuz": Small(3, 8, "fnuz"),
    "float8_e4m3b11fnuz": Small(3, 11, "fnuz"),
    "float8_e5m2": Small(2, 15, "ieee"),
    "float8_e5m2fnuz": Small(2, 16, "fnuz"),
}
FLOATS = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, **dict.fromkeys(SMALL, 1)}
COMPLEX = {"complex64": "float32", "complex128": "float64"}
_CODES = {"float16": "<e", "float32": "<f", "float64": "<d"}
INTEGER = re.compile(r"u?int(8|16|32|64)$")


def size_of(dtype: str) -> int | None:
    """Return the bytes of one element, or None for a type without a fixed, known size."""
    if dtype in COMPLEX:
        return 2 * FLOATS[COMPLEX[dtype]]
    if dtype == "bool":
        return 1
    whole = INTEGER.match(dtype)
    return int(whole[1]) // 8 if whole else FLOATS.get(dtype)


def hexadecimal(data: bytes, dtype: str) -> str:
    """Return the bits of one little-endian element; of a complex one both parts'."""
    size = FLOATS[COMPLEX[dtype]] if dtype in COMPLEX else len(data)
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return " ".join(f"0x{int.from_bytes(part, 'little'):0{2 * size}x}" for part in parts)


def shown(data: bytes, dtype: str) -> str:
    """Return one little-endian element as text that tells all values but NaNs apart."""
    if dtype in COMPLEX:
        half = len(data) // 2
        real, imaginary = (shown(each, COMPLEX[dtype]) for each in (data[:half], data[half:]))
        return f"{real}{'' if imaginary[0] == '-' else '+'}{imaginary}j"
    if dtype == "bool":
        return str(data != b"\0")
    if dtype not in FLOATS:
        return str(int.from_bytes(data, "little", signed=dtype.startswith("int")))
    value = _float(data, dtype)
    if dtype == "float64" or value != value:
        return repr(value)
    # The fewest digits that name this value in its own format, as repr does for float64.
    digits = {1: 5, 2: 6, 4: 10}[FLOATS[dtype]]
    short = (float(f"{value:.{count}g}") for count in range(1, digits))
    return repr(next((each for each in short if _rounds_to(each, value, dtype)), value))


def encoded(text: str, dtype: str) -> bytes | None:
    """Return the little-endian element that a hexadecimal float or a decimal integer names, or
    None where it names none of this type exactly."""
    try:
        if INTEGER.match(dtype):
            size = size_of(dtype) or 0
            return int(text).to_bytes(size, "little", signed=dtype.startswith("int"))
        if dtype not in FLOATS or dtype in SMALL or not re.search("0x|nan|inf", text):
            return None  # float.fromhex takes `12` for 18
        value = float.fromhex(text)
        data = struct.pack(_CODES.get(dtype, "<f"), value)
    except (ValueError, OverflowError):
        return None
    if dtype == "bfloat16":
        data = data[2:]
    return data if value != value or _float(data, dtype) == value else None


def distance(first: bytes, second: bytes, dtype: str) -> int | None:
    """Return how far apart two little-endian elements are, 0 or more; None for NaNs, truth values
    and unknown types.

    In units of `unit(dtype)`. Of complex elements, the larger of the parts' distances.
    """
    if dtype in COMPLEX:
        half = len(first) // 2
        real = distance(first[:half], second[:half], COMPLEX[dtype])
        imaginary = distance(first[half:], second[half:], COMPLEX[dtype])
        return None if real is None or imaginary is None else max(real, imaginary)
    if INTEGER.match(dtype):
        signed = dtype.startswith("int")
        return abs(_whole(first, signed) - _whole(second, signed))
    if dtype not in FLOATS or any(_is_nan(each, dtype) for each in (first, second)):
        return None
    return abs(_ordered(first) - _ordered(second))


def first_byte(one: bytes, other: bytes) -> int:
    """Return the position of the first byte that differs, or the shorter length."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def unit(dtype: str) -> str | None:
    """Return what `distance` counts in for this type, None where it has no distance."""
    if INTEGER.match(dtype):
        return DIFFERENCE
    return ULP if dtype in FLOATS or dtype in COMPLEX else None


def _whole(data: bytes, signed: bool) -> int:
    return int.from_bytes(data, "little", signed=signed)


def _ordered(data: bytes) -> int:
    """Sign and magnitude as an integer in the order of the floats."""
    bits = int.from_bytes(data, "little")
    sign = 1 << (8 * len(data) - 1)
    return -(bits - sign) if bits & sign else bits


def _is_nan(data: bytes, dtype: str) -> bool:
    value = _float(data, dtype)
    return value != value


def _float(data: bytes, dtype: str) -> float:
    if dtype in SMALL:
        return _small(data[0], SMALL[dtype])
    if dtype == "bfloat16":
        data, dtype = b"\0\0" + data, "float32"
    value: float = struct.unpack(_CODES[dtype], data)[0]
    return value


def _small(code: int, layout: Small) -> float:
    mantissa, bias, style = layout
    sign = -1.0 if code & 0x80 else 1.0
    exponent = (code & 0x7F) >> mantissa
    fraction = code & ((1 << mantissa) - 1)
    largest = 0x7F >> mantissa
    if style == "fnuz" and code == 0x80:
        return float("nan")
    if style == "fn" and code & 0x7F == 0x7F:
        return float("nan")
    if style == "ieee" and exponent == largest:
        return float("nan") if fraction else sign * float("inf")
    if exponent == 0:
        return sign * fraction * 2.0 ** (1 - bias - mantissa)
    return sign * ((1 << mantissa) + fraction) * 2.0 ** (exponent - bias - mantissa)


def _rounds_to(short: float, value: float, dtype: str) -> bool:
    """Tell whether `short` is nearer to `value` than to any other value of its format."""
    if short == value:
        return True
    if dtype != "float32" and dtype != "float16":
        return False
    code = _CODES[dtype]
    try:
        return bool(struct.unpack(code, struct.pack(code, short))[0] == value)
    except OverflowError:
        return False
