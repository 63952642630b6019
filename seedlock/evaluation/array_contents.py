"""The first element at which two arrays differ, read in pieces: memory stays flat."""

from __future__ import annotations

import ast
import json
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from seedlock.evaluation import number_formats as numbers
from seedlock.evaluation.findings import DIFFERENCE, Finding, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 20
"""Bytes that are read at a time."""

MAX_HEADER = 100 << 20
"""Bytes of the longest safetensors header (huggingface/safetensors, format description)."""

SAFETENSORS = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16",
    "F16": "float16", "BF16": "bfloat16", "I32": "int32", "U32": "uint32", "F32": "float32",
    "F64": "float64", "I64": "int64", "U64": "uint64", "C64": "complex64",
}  # fmt: skip


CODES = {
    "b1": "bool", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8",
    "u2": "uint16", "u4": "uint32", "u8": "uint64", "f2": "float16", "f4": "float32",
    "f8": "float64", "c8": "complex64", "c16": "complex128",
}  # fmt: skip
"""NumPy's type codes (NEP 1), without the byte order."""


class UnreadableContent(ValueError):
    """A file is not of the format that its name promises; it is compared by its bytes."""


class Number(NamedTuple):
    """The format of one element: a type of number_formats, its bytes, and their order."""

    dtype: str
    size: int
    little: bool = True

    def element(self, data: bytes) -> bytes:
        """Return an element's bytes, the least significant first."""
        if self.little:
            return data
        half = self.size // (2 if self.dtype in numbers.COMPLEX else 1)
        return b"".join(data[at : at + half][::-1] for at in range(0, self.size, half))


def of_code(code: object) -> Number | None:
    """Return the format of a NumPy type code, as `<f4`; None for records, text and objects."""
    if not isinstance(code, str) or code[1:] not in CODES:
        return None
    return Number(CODES[code[1:]], int(code[2:]), code[0] != ">")


class NpyHeader(NamedTuple):
    """Header of a .npy file: NumPy's type description, the shape, whether columns come first."""

    descr: object
    shape: tuple[int, ...]
    fortran: bool


def compare_npy(file: str, first: IO[bytes], second: IO[bytes]) -> Iterator[Finding]:
    """Compare two .npy files: type and shape, then elements.

    Raises:
        UnreadableContent: one is no .npy file.
    """
    headers = npy_header(first), npy_header(second)
    one, other = headers
    if one != other:
        yield Finding(file, "type and shape", DIFFERENCE, _described(one), _described(other))
        return
    number = of_code(one.descr)
    yield from compare_elements(file, "", first, second, number, one.shape, one.fortran)


def npy_header(stream: IO[bytes]) -> NpyHeader:
    """Read the header of a .npy stream (NEP 1), which is left at the first element.

    Raises:
        UnreadableContent: it has none.
    """
    magic = stream.read(8)
    if len(magic) < 8 or magic[:6] != b"\x93NUMPY":
        raise UnreadableContent("no .npy header")
    length = int.from_bytes(stream.read(2 if magic[6] == 1 else 4), "little")
    try:
        header = ast.literal_eval(stream.read(min(length, 1 << 20)).decode())
        shape = tuple(int(each) for each in header["shape"])
        return NpyHeader(header["descr"], shape, bool(header["fortran_order"]))
    except (ValueError, SyntaxError, KeyError, TypeError) as problem:
        raise UnreadableContent(f"no .npy header: {problem}") from problem


def compare_elements(
    file: str,
    name: str,
    first: IO[bytes],
    second: IO[bytes],
    number: Number | None,
    shape: tuple[int, ...] | None,
    fortran: bool = False,
    length: int | None = None,
) -> Iterator[Finding]:
    """Compare two streams of elements and yield the first difference, if any.

    Args:
        file: for the finding.
        name: name of the array, put before the index; empty for none.
        first, second: streams that stand at the first element.
        number: format of an element; None to compare bytes.
        shape: to turn a position into an index; None for a flat one.
        fortran: whether the first index runs fastest.
        length: bytes to compare; None for all.
    """
    at = 0
    while length is None or at < length:
        size = PIECE if length is None else min(PIECE, length - at)
        one, other = first.read(size), second.read(size)
        if one != other:
            yield _at_byte(file, name, at, one, other, number, shape, fortran)
            return
        if not one:
            return
        at += len(one)


def compare_safetensors(file: str, first: IO[bytes], second: IO[bytes]) -> Iterator[Finding]:
    """Compare two safetensors files tensor by tensor, wherever in the file each stands.

    Raises:
        UnreadableContent: one is no safetensors file.
    """
    one, start = _safetensors_header(first)
    other, other_start = _safetensors_header(second)
    for name in sorted({*one, *other}):
        a, b = one.get(name), other.get(name)
        if name == "__metadata__" or a is None or b is None:
            if a != b:
                yield Finding(file, name, DIFFERENCE, _absent(a), _absent(b))
            continue
        if (a["dtype"], a["shape"]) != (b["dtype"], b["shape"]):
            yield Finding(
                file, f"{name}: type and shape", DIFFERENCE,
                f"{a['dtype']}{a['shape']}", f"{b['dtype']}{b['shape']}",
            )  # fmt: skip
            continue
        begin, end = a["data_offsets"]
        first.seek(start + begin)
        second.seek(other_start + b["data_offsets"][0])
        known = SAFETENSORS.get(a["dtype"])
        size = known and numbers.size_of(known)
        number = Number(known, size) if known and size else None
        yield from compare_elements(
            file, name, first, second, number, tuple(a["shape"]), length=end - begin
        )


def place(position: int, shape: tuple[int, ...], fortran: bool = False) -> str:
    """Return the index of an element as `[3, 0]` from its position in the file."""
    index = []
    sizes = shape if fortran else shape[::-1]
    for size in sizes:
        index.append(position % size)
        position //= size
    return str(index if fortran else index[::-1])


def _at_byte(
    file: str,
    name: str,
    at: int,
    one: bytes,
    other: bytes,
    number: Number | None,
    shape: tuple[int, ...] | None,
    fortran: bool,
) -> Finding:
    common = min(len(one), len(other))
    byte = numbers.first_byte(one, other)
    if byte >= common:
        where = f"{name}: length" if name else "length"
        sizes = [f"{at + len(each)} bytes" for each in (one, other)]
        return Finding(file, where, DIFFERENCE, *sizes)
    if number is None:
        where = f"byte {at + byte}"
        values = [each[byte : byte + 16].hex(" ") for each in (one, other)]
        return Finding(file, f"{name}: {where}" if name else where, DIFFERENCE, *values)
    begin = byte - byte % number.size  # a piece is a whole number of elements
    raw = [number.element(each[begin : begin + number.size]) for each in (one, other)]
    position = (at + begin) // number.size
    index = str([position]) if shape is None else place(position, shape, fortran) if shape else ""
    values = [f"{numbers.shown(each, number.dtype)} ({numbers.hexadecimal(each, number.dtype)})"
              for each in raw]  # fmt: skip
    distance = numbers.distance(raw[0], raw[1], number.dtype)
    unit = numbers.unit(number.dtype)
    apart = f", {distance} {unit}" if distance is not None and unit == numbers.ULP else ""
    where = f"{name}{index}" or "value"
    return Finding(file, where, DIFFERENCE, values[0], values[1], number.dtype + apart)


def _safetensors_header(stream: IO[bytes]) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(stream.read(8), "little")
    if not 2 <= length <= MAX_HEADER:
        raise UnreadableContent("no safetensors header")
    try:
        header = json.loads(stream.read(length))
    except ValueError as problem:
        raise UnreadableContent(f"no safetensors header: {problem}") from problem
    if not isinstance(header, dict):
        raise UnreadableContent("no safetensors header")
    return header, 8 + length


def _absent(entry: object) -> str:
    return "absent" if entry is None else shown(entry)


def _described(header: NpyHeader) -> str:
    order = ", columns first" if header.fortran else ""
    return shown(f"{header.descr}{list(header.shape)}{order}")
