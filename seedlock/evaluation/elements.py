"""The first element in which two results differ, from the bytes that the runs kept.

Arrays are read in blocks, so that memory does not grow with them.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import number_formats as numbers

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from seedlock.evaluation.processes import Event

BLOCK = 1 << 16
"""Bytes read at a time: a multiple of every element's size."""

COUNTED = 1 << 20
"""Differing blocks are counted element by element up to so many elements."""

_ARRAY = re.compile(r"([^\[\]\s]+)\[([\d,]*)\]")


@dataclass(frozen=True)
class Element:
    """Where and how far two results differ. What is not known is None.

    Attributes:
        array: number of the array in the event, from 0.
        name: the array's name, as that of a parameter.
        dtype, shape: of the array, in the first run.
        flat: index of the element in C order.
        index: the same, by axis.
        first_bits, second_bits: the element in both runs in hexadecimal, sign bit first.
        first_text, second_text: as a number.
        distance: how far apart, in `unit`: `ulp` (units in the last place; 0.0 and -0.0 are 0
            apart) or `difference` (of integers).
        differing: elements that differ in this array.
        largest: largest distance among them.
    """

    array: int
    name: str | None = None
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    flat: int | None = None
    index: tuple[int, ...] | None = None
    first_bits: str | None = None
    second_bits: str | None = None
    first_text: str | None = None
    second_text: str | None = None
    distance: int | None = None
    unit: str | None = None
    differing: int | None = None
    largest: int | None = None


def arrays(event: Event) -> list[tuple[str, tuple[int, ...]]]:
    """Return type and shape of each array of an event, from `what`."""
    found = _ARRAY.findall(str(event.get("what", "")))
    return [(dtype, tuple(int(n) for n in shape.split(",") if n)) for dtype, shape in found]


def first_element(
    first: Event,
    second: Event,
    values: tuple[Path, Path],
    names: list[str] | None = None,
) -> Element | None:
    """Return the first element in which two events differ, as exactly as their traces tell it.

    Args:
        first, second: events of a kind that is a result.
        values: the `.values` files that `kept` points into; they may be missing.
        names: names of the event's parts.
    """
    shapes = arrays(first)
    # A part may hold several arrays, or none: then an array's number says nothing about its part.
    if len(shapes) != len(_parts(first)):
        names = None
    for number, (one, other) in enumerate(zip(shapes, arrays(second), strict=False)):
        if one != other:
            return Element(number, _nth(names, number), *one)
    found = _in_kept(first, second, values, shapes)
    if found is None and len(shapes) == len(_parts(first)):
        found = _in_parts(first, second, shapes)
    if found is None:
        found = _in_text(first, second)
    if found is None:
        return None
    return Element(**{**vars(found), "name": _nth(names, found.array)})


def _nth(names: list[str] | None, number: int) -> str | None:
    return names[number] if names is not None and number < len(names) else None


def _parts(event: Event) -> list[str]:
    return str(event.get("parts", "")).split()


def _in_parts(
    first: Event, second: Event, shapes: list[tuple[str, tuple[int, ...]]]
) -> Element | None:
    parts = zip(_parts(first), _parts(second), shapes, strict=False)
    for number, (one, other, shape) in enumerate(parts):
        if one != other:
            return Element(number, None, *shape)
    return None


def _in_text(first: Event, second: Event) -> Element | None:
    """From a scalar that stands in the event as a hexadecimal float, or as an integer."""
    for key in ("text", "loss"):
        texts = str(first.get(key, "")), str(second.get(key, ""))
        if texts[0] == texts[1]:
            continue
        known = arrays(first)
        # A loss is a float32 in nearly every program; a float64 that happens to be one is rare.
        dtypes = ["float32", "float64"]
        if key == "text" and len(known) == 1:
            dtypes = [known[0][0]]
        for dtype in dtypes:
            one, other = (numbers.encoded(text, dtype) for text in texts)
            if one is not None and other is not None:
                return Element(0, None, dtype, (), 0, (), **_values(one, other, dtype), differing=1)
    return None


def _values(one: bytes, other: bytes, dtype: str) -> dict[str, Any]:
    apart = numbers.distance(one, other, dtype)
    return {
        "first_bits": numbers.hexadecimal(one, dtype),
        "second_bits": numbers.hexadecimal(other, dtype),
        "first_text": numbers.shown(one, dtype),
        "second_text": numbers.shown(other, dtype),
        "distance": apart,
        "unit": None if apart is None else numbers.unit(dtype),
        "largest": apart,
    }


def _in_kept(
    first: Event,
    second: Event,
    values: tuple[Path, Path],
    shapes: list[tuple[str, tuple[int, ...]]],
) -> Element | None:
    if not all(path.is_file() for path in values):
        return None
    ranges = [
        _ranges(event, path.stat().st_size)
        for event, path in zip((first, second), values, strict=True)
    ]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in values]
        for number, (one, other) in enumerate(zip(*ranges, strict=False)):
            known = shapes[number] if number < len(shapes) else None
            if one is None or other is None or one[1] != other[1] or known is None:
                continue
            found = _in_array(files[0], files[1], one, other, number, *known)
            if found is not None:
                return found
    return None


def _ranges(event: Event, size: int) -> list[tuple[int, int] | None]:
    """Return `kept` as (offset, bytes) for each array, None for one that the file of `size` bytes
    does not hold."""
    kept = event.get("kept")
    if not isinstance(kept, list):
        return []
    if len(kept) == 2 and all(isinstance(each, int) for each in kept):
        kept = [kept]  # one array
    return [
        (each[0], each[1])
        if isinstance(each, list)
        and len(each) == 2
        and all(isinstance(n, int) and n >= 0 for n in each)
        and sum(each) <= size
        else None
        for each in kept
    ]


def _in_array(
    first: BinaryIO,
    second: BinaryIO,
    one: tuple[int, int],
    other: tuple[int, int],
    number: int,
    dtype: str,
    shape: tuple[int, ...],
) -> Element | None:
    length = one[1]
    count = 1
    for axis in shape:
        count *= axis
    size = numbers.size_of(dtype) or (length // count if count else 0)
    if size == 0 or size * count != length:
        return None
    found: Element | None = None
    differing = examined = 0
    largest: int | None = None
    for at in range(0, length, BLOCK - BLOCK % size):
        step = min(BLOCK - BLOCK % size, length - at)
        data = _read(first, one[0] + at, step), _read(second, other[0] + at, step)
        if data[0] == data[1]:
            continue
        if examined > COUNTED:
            return Element(**{**vars(found), "differing": None, "largest": None}) if found else None
        examined += step // size
        for start in range(0, step, size):
            pair = data[0][start : start + size], data[1][start : start + size]
            if pair[0] == pair[1]:
                continue
            differing += 1
            apart = numbers.distance(*pair, dtype)
            if apart is not None:
                largest = apart if largest is None else max(apart, largest)
            if found is None:
                flat = (at + start) // size
                found = Element(
                    number, None, dtype, shape, flat, _by_axis(flat, shape), **_values(*pair, dtype)
                )
    if found is None:
        return None
    return Element(**{**vars(found), "differing": differing, "largest": largest})


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _by_axis(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for axis in reversed(shape):
        flat, place = divmod(flat, axis)
        index.append(place)
    return tuple(reversed(index))
