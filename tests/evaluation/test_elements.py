"""The first element that differs."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedlock.evaluation import elements
from seedlock.evaluation.elements import Element, first_element


def kept(tmp_path: Path, *arrays: tuple[str, bytes]) -> tuple[dict[str, Any], Path]:
    """Write arrays as a process keeps them; return an event and the file."""
    file = tmp_path
    event = {
        "kind": "op",
        "what": " ".join(what for what, _ in arrays),
        "parts": " ".join(f"{hash(data) & 0xFFFFFFFF:08x}" for _, data in arrays),
        "kept": [],
    }
    with file.open("wb") as values:
        values.write(b"other events")
        for _, data in arrays:
            event["kept"].append([values.tell(), len(data)])  # type: ignore[attr-defined]
            values.write(data)
    return event, file


def compared(
    tmp_path: Path, first: list[tuple[str, bytes]], second: list[tuple[str, bytes]]
) -> Element | None:
    """Return the first element that differs between two events that keep these arrays."""
    one, a = kept(tmp_path / "a.values", *first)
    other, b = kept(tmp_path / "b.values", *second)
    return first_element(one, other, (a, b), ["weight", "bias"])


def test_the_first_element_is_found_in_the_second_array(tmp_path: Path) -> None:
    """Array, its name, both indexes, both values, the distance, and how many differ."""
    same = ("int64[2]", struct.pack("<2q", 1, 2))
    bias = struct.pack("<6f", *range(6))
    other = bytearray(bias)
    other[16] ^= 1  # element 4, the last bit
    other[20] ^= 8

    found = compared(
        tmp_path, [same, ("float32[2,3]", bias)], [same, ("float32[2,3]", bytes(other))]
    )

    assert found == Element(
        array=1, name="bias", dtype="float32", shape=(2, 3), flat=4, index=(1, 1),
        first_bits="0x40800000", second_bits="0x40800001", first_text="4.0",
        second_text="4.0000005", distance=1, unit="ulp", differing=2, largest=8,
    )  # fmt: skip


@given(size=st.integers(1, 60_000), data=st.data())
def test_one_changed_byte_is_found_wherever_it_is(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    """Blocks, their edges and the array's end make no difference."""
    at = data.draw(st.integers(0, size - 1))
    raw = bytearray(2 * size)
    folder = tmp_path_factory.mktemp("values")
    changed = bytearray(raw)
    changed[2 * at] = 1

    found = compared(
        folder, [(f"float16[{size}]", bytes(raw))], [(f"float16[{size}]", bytes(changed))]
    )

    assert found is not None
    assert (found.flat, found.index, found.differing, found.distance) == (at, (at,), 1, 1)


def test_large_arrays_are_counted_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it the number that differ is not known, and the first element is all the same."""
    monkeypatch.setattr(elements, "COUNTED", 10_000)
    ones, zeros = b"\1" * 300_000, b"\0" * 300_000

    found = compared(tmp_path, [("uint8[300000]", zeros)], [("uint8[300000]", ones)])

    assert found is not None
    assert (found.flat, found.differing, found.largest) == (0, None, None)


def test_shapes_that_differ_are_all_there_is_to_say(tmp_path: Path) -> None:
    """Elements of arrays of other shapes aren't laid side by side."""
    found = compared(tmp_path, [("float32[2]", b"\0" * 8)], [("float32[3]", b"\1" * 12)])

    assert found == Element(array=0, name="weight", dtype="float32", shape=(2,))


def test_digests_of_parts_name_the_array_where_nothing_is_kept() -> None:
    """No values, but the array and its name."""
    one = {"what": "float32[2] int8[3]", "parts": "aaaaaaaa bbbbbbbb"}
    other = {**one, "parts": "aaaaaaaa cccccccc"}

    found = first_element(one, other, (Path("none"), Path("none")), ["weight", "bias"])

    assert found == Element(array=1, name="bias", dtype="int8", shape=(3,))


@pytest.mark.parametrize(
    ("key", "first", "second", "dtype", "apart"),
    [
        ("loss", "0x1.8p+0", "0x1.800002p+0", "float32", 1),
        ("loss", "0x1.8p+0", "0x1.8000000000001p+0", "float64", 1),
        ("loss", "0x1.0p+200", "0x1.0000000000001p+200", "float64", 1),
        ("text", "0x0.0p+0", "-0x0.0p+0", "float32", 0),
        ("text", "nan", "0x1.0p+0", "float32", None),
    ],
)
def test_a_scalar_in_the_event_is_enough(
    key: str, first: str, second: str, dtype: str, apart: int | None
) -> None:
    """A hexadecimal float is measured as a float32 if both are exactly that."""
    found = first_element({key: first}, {key: second}, (Path("none"), Path("none")))

    assert found is not None
    assert (found.dtype, found.distance, found.shape) == (dtype, apart, ())


@pytest.mark.parametrize(
    ("dtype", "first", "second", "apart", "bits"),
    [
        ("bfloat16", "0x1.02p+0", "0x1.04p+0", 1, "0x3f81"),
        ("float16", "0x1.004p+0", "0x1.0p+0", 1, "0x3c01"),
        ("float64", "0x1.0p+0", "0x1.8p+0", 1 << 51, "0x3ff0000000000000"),
        ("int64", "12", "-13", 25, "0x000000000000000c"),
    ],
)
def test_a_scalars_type_is_taken_from_the_event(
    dtype: str, first: str, second: str, apart: int, bits: str
) -> None:
    """Also of an integer, which stands there in decimal digits."""
    one, other = ({"what": f"{dtype}[]", "text": text} for text in (first, second))

    found = first_element(one, other, (Path("none"), Path("none")))

    assert found is not None
    assert (found.dtype, found.distance, found.first_bits) == (dtype, apart, bits)


def test_an_array_is_not_named_by_a_part_with_several(tmp_path: Path) -> None:
    """Names are those of parts; one of two arrays in it has none of its own."""
    one, a = kept(tmp_path / "a.values", ("int8[1]", b"1"), ("int8[1]", b"2"))
    other, b = kept(tmp_path / "b.values", ("int8[1]", b"1"), ("int8[1]", b"3"))

    found = first_element({**one, "parts": "aa"}, {**other, "parts": "bb"}, (a, b), ["state"])

    assert found is not None
    assert (found.array, found.name, found.distance) == (1, None, 1)


@pytest.mark.parametrize("texts", [("12", "13"), ("1234abcd", "1"), ("", "0x1p+0")])
def test_other_text_has_no_element(texts: tuple[str, str]) -> None:
    """A decimal integer, as a seed, is no float."""
    one, other = ({"text": text} for text in texts)

    assert first_element(one, other, (Path("none"), Path("none"))) is None


@pytest.mark.parametrize(
    "wrong", [[[0, 10**12]], [[-1, 8]], [["a", 8]], [None], 7, [[10**15, 8]], [[0, 7]]]
)
def test_ranges_that_cannot_be_are_passed_over(tmp_path: Path, wrong: object) -> None:
    """A damaged trace gives no element, and no error."""
    one, a = kept(tmp_path / "a.values", ("float32[2]", b"\0" * 8))
    other, b = kept(tmp_path / "b.values", ("float32[2]", b"\1" * 8))

    found = first_element(
        {**one, "kept": wrong, "parts": ""}, {**other, "kept": wrong, "parts": ""}, (a, b)
    )

    assert found is None
