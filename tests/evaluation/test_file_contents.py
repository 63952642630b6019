"""file_contents.py and the formats below it: a single planted difference in each format."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedlock.evaluation.file_contents import compare_files
from seedlock.evaluation.findings import DIFFERENCE, KEY_ORDER, TIME_STAMP, Finding

ARRAY: Any = numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 4)


def planted(array: Any) -> Any:
    """Return a copy in which the element [1, 0, 2] is the next larger number."""
    other = array.copy()
    other[1, 0, 2] = numpy.nextafter(other[1, 0, 2], numpy.float32(100))
    return other


def compared(folder: Path, name: str, first: bytes, second: bytes) -> list[Finding]:
    """Compare two files of one name."""
    paths = [folder / each for each in ("first", "second")]
    for path, content in zip(paths, (first, second), strict=True):
        path.write_bytes(content)
    return compare_files(name, *paths)


def npy(array: Any) -> bytes:
    """Return an array as a .npy file."""
    stream = io.BytesIO()
    numpy.save(stream, array)
    return stream.getvalue()


def archive(members: dict[str, bytes], year: int = 2020) -> bytes:
    """Return a zip archive whose members were modified in `year`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in members.items():
            made.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content)
    return stream.getvalue()


def safetensors(tensors: dict[str, Any]) -> bytes:
    """Return tensors as a safetensors file, in the order given."""
    header: dict[str, Any] = {}
    data = b""
    for name, array in tensors.items():
        raw = array.tobytes()
        header[name] = {
            "dtype": "F32", "shape": array.shape, "data_offsets": [len(data), len(data) + len(raw)]
        }  # fmt: skip
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def hdf5(array: Any, attribute: float = 0.5) -> bytes:
    """Return an array in a group of an HDF5 file."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("layers/dense/kernel", data=array)
        file["layers"].attrs["rate"] = attribute
        file["names"] = ["a", "b"]
    return stream.getvalue()


def keras(array: Any, saved: str = "2026-11-22@09:25:01", version: str = "3.15.1") -> bytes:
    """Return a .keras archive."""
    metadata = json.dumps({"keras_version": version, "date_saved": saved}).encode()
    return archive(
        {"metadata.json": metadata, "config.json": b'{"a": 1}', "model.weights.h5": hdf5(array)}
    )


ARRAY_FORMATS: dict[str, tuple[str, Callable[[Any], bytes], str]] = {
    "npy": ("w.npy", npy, "[1, 0, 2]"),
    "npz": ("w.npz", lambda a: archive({"b.npy": npy(ARRAY), "w.npy": npy(a)}), "w.npy: [1, 0, 2]"),
    "fortran": ("w.npy", lambda a: npy(numpy.asfortranarray(a)), "[1, 0, 2]"),
    "big endian": ("w.npy", lambda a: npy(a.astype(">f4")), "[1, 0, 2]"),
    "safetensors": ("w.safetensors", lambda a: safetensors({"b": ARRAY, "w": a}), "w[1, 0, 2]"),
    "hdf5": ("w.h5", hdf5, "/layers/dense/kernel[1, 0, 2]"),
    "keras": ("w.keras", keras, "model.weights.h5: /layers/dense/kernel[1, 0, 2]"),
}


@pytest.mark.parametrize("name", ARRAY_FORMATS)
def test_one_element_of_an_array(name: str, tmp_path: Path) -> None:
    """Its place, both values with their bits, and the distance are named, and nothing else."""
    file, make, where = ARRAY_FORMATS[name]

    (found,) = compared(tmp_path, file, make(ARRAY), make(planted(ARRAY)))

    assert (found.kind, found.where) == (DIFFERENCE, where)
    assert found.first == "14.0 (0x41600000)"
    assert found.second.endswith("(0x41600001)")
    assert found.note == "float32, 1 ulp"


@pytest.mark.parametrize("name", ARRAY_FORMATS)
def test_type_and_shape_of_an_array(name: str, tmp_path: Path) -> None:
    """Another shape is named, not a value."""
    file, make, _ = ARRAY_FORMATS[name]

    found = compared(tmp_path, file, make(ARRAY), make(ARRAY.reshape(4, 6)))

    assert any("4, 6" in each.second for each in found)
    assert all(each.counts for each in found)


@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_the_planted_element_is_found_wherever_it_is(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """For any type, shape, order and place."""
    code = data.draw(st.sampled_from(["<f8", ">f8", "<f2", "<i4", ">i8", "|u1", "|b1", "<c8"]))
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    order: Any = data.draw(st.sampled_from("CF"))
    first: Any = numpy.zeros(shape, code, order=order)
    second = first.copy(order="K")
    index = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    second[index] = 1

    (found,) = compared(tmp_path_factory.mktemp("npy"), "w.npy", npy(first), npy(second))

    assert found.where == str(list(index))


def test_members_times_and_order_do_not_count(tmp_path: Path) -> None:
    """Two archives of equal members are equal, whenever and in which order they were written."""
    members = {"a.npy": npy(ARRAY), "b.npy": npy(ARRAY)}
    turned = dict(reversed(members.items()))

    assert not compared(tmp_path, "w.npz", archive(members), archive(turned, year=2021))


def test_a_member_that_one_archive_lacks(tmp_path: Path) -> None:
    """It is named."""
    (found,) = compared(
        tmp_path, "w.npz", archive({"a.npy": npy(ARRAY)}), archive({"a.npy": npy(ARRAY), "b": b""})
    )

    assert (found.where, found.first) == ("b", "absent")


def test_order_of_tensors_does_not_count(tmp_path: Path) -> None:
    """safetensors are compared by name."""
    one = safetensors({"a": ARRAY, "b": planted(ARRAY)})
    other = safetensors({"b": planted(ARRAY), "a": ARRAY})

    assert not compared(tmp_path, "w.safetensors", one, other)


def test_when_a_keras_model_was_saved_is_a_time_stamp(tmp_path: Path) -> None:
    """date_saved is named and forgiven, another version is not."""
    first = keras(ARRAY)

    (saved,) = compared(tmp_path, "m.keras", first, keras(ARRAY, saved="2026-11-23@10:00:00"))
    (version,) = compared(tmp_path, "m.keras", first, keras(ARRAY, version="3.0.0"))

    assert (saved.kind, saved.where) == (TIME_STAMP, "metadata.json: date_saved")
    assert (version.kind, version.where) == (DIFFERENCE, "metadata.json: keras_version")


def test_an_attribute_in_hdf5(tmp_path: Path) -> None:
    """Attributes count as datasets do."""
    (found,) = compared(tmp_path, "w.h5", hdf5(ARRAY), hdf5(ARRAY, attribute=0.25))

    assert found.where == "/layers@rate"


def test_a_torch_archive_by_the_names_of_its_tensors(tmp_path: Path) -> None:
    """Tensors, numbers and the archive's own folder: torch.save of one content is equal under any
    file name, and one element is found by its name."""
    import torch

    def saved(name: str, tensor: Any, loss: float = 0.5) -> bytes:
        path = tmp_path / name
        model = {"fc.weight": torch.nn.Parameter(tensor), "fc.bias": torch.zeros(3)}
        torch.save({"model": model, "loss": loss, "epochs": [1, 2]}, path)
        return path.read_bytes()

    first = saved("a.pt", torch.from_numpy(ARRAY.copy()))

    assert not compared(tmp_path, "m.pt", first, saved("other.pt", torch.from_numpy(ARRAY.copy())))
    (found,) = compared(tmp_path, "m.pt", first, saved("b.pt", torch.from_numpy(planted(ARRAY))))
    assert found.where == "data/0: ['model']['fc.weight'][1, 0, 2]"
    assert found.note == "float32, 1 ulp"
    (loss,) = compared(tmp_path, "m.pt", first, saved("c.pt", torch.from_numpy(ARRAY.copy()), 0.25))
    assert (loss.where, loss.first, loss.second) == ("['loss']", "0.5", "0.25")


def test_a_pickle_is_read_without_being_run(tmp_path: Path) -> None:
    """What a .pt file names is not imported nor called."""
    ran = tmp_path / "ran"

    class Call:
        def __init__(self, text: str) -> None:
            self.text = text

        def __reduce__(self) -> Any:
            return Path.write_text, (ran, self.text)

    import pickle

    files = [
        archive({"x/data.pkl": pickle.dumps({"a": Call(text)}), "x/data/0": b""})
        for text in ("1", "2")
    ]

    found = compared(tmp_path, "m.pt", *files)

    assert not ran.exists()
    assert any(each.counts for each in found)


JSON = {"accuracy": 0.5, "history": {"loss": [1.0, 0.5]}, "seconds": 3.5, "date": "2026-11-22"}


@pytest.mark.parametrize(
    ("change", "where", "kind", "metric"),
    [
        ({"accuracy": 0.25}, "accuracy", DIFFERENCE, True),
        ({"history": {"loss": [1.0, 0.25]}}, "history.loss[1]", DIFFERENCE, True),
        ({"history": {"loss": [1.0]}}, "history.loss", DIFFERENCE, False),
        ({"accuracy": "0.5"}, "accuracy", DIFFERENCE, False),
        ({"accuracy": None}, "accuracy", DIFFERENCE, False),
        ({"seconds": 4.5}, "seconds", TIME_STAMP, False),
        ({"date": "2026-11-23"}, "date", TIME_STAMP, False),
        ({"date": "yesterday"}, "date", DIFFERENCE, False),
        ({"more": 1}, "more", DIFFERENCE, False),
    ],
)
def test_one_value_of_a_json_file(
    change: dict[str, Any], where: str, kind: str, metric: bool, tmp_path: Path
) -> None:
    """Its key path and both values are named, and whether it is a metric or a time."""
    other = {**JSON, **change}

    (found,) = compared(
        tmp_path, "r.json", json.dumps(JSON).encode(), json.dumps(other).encode()
    )  # fmt: skip

    assert (found.where, found.kind, found.metric) == (where, kind, metric)


def test_the_order_of_keys_is_named(tmp_path: Path) -> None:
    """Equal values in another order are a finding of their own kind, and count."""
    turned = dict(reversed(JSON.items()))

    (found,) = compared(
        tmp_path, "r.json", json.dumps(JSON).encode(), json.dumps(turned).encode()
    )  # fmt: skip

    assert found.kind == KEY_ORDER
    assert found.counts


def test_keys_of_one_json_file_are_told_in_their_order(tmp_path: Path) -> None:
    """And not in that of a set of text, which no seed decides in who compares."""
    one, other = (dict.fromkeys(names, 1) for names in ("hgfedcba", "ponmlkji"))

    found = compared(tmp_path, "r.json", json.dumps(one).encode(), json.dumps(other).encode())

    assert [each.where for each in found] == list("abcdefghijklmnop")


def test_spaces_in_json_are_a_difference(tmp_path: Path) -> None:
    """What no value explains is not passed over."""
    (found,) = compared(tmp_path, "r.json", b'{"a": 1}', b'{"a":1}')

    assert (found.kind, found.where) == (DIFFERENCE, "text")


def test_a_clock_under_another_name_is_a_difference(tmp_path: Path) -> None:
    """time.time() as a metric makes a run unrepeatable; the note says what it looks like."""
    import time

    values = [json.dumps({"loss": time.time() + more}).encode() for more in (0, 1)]

    (found,) = compared(tmp_path, "r.json", *values)

    assert found.counts
    assert "clock" in found.note


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below),
    max_leaves=12,
)


@given(first=TREES, second=TREES)
def test_different_json_is_never_called_equal(
    first: Any, second: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever differs in bytes has a finding."""
    texts = [json.dumps(each).encode() for each in (first, second)]

    found = compared(tmp_path_factory.mktemp("json"), "r.json", *texts)

    assert bool(found) == (texts[0] != texts[1])


@pytest.mark.parametrize(
    ("name", "first", "second", "where", "kind"),
    [
        ("r.csv", "n,loss,time\n1,0.5,3\n", "n,loss,time\n1,0.4,3\n", "line 2, loss", DIFFERENCE),
        ("r.csv", "n,loss,time\n1,0.5,3\n", "n,loss,time\n1,0.5,4\n", "line 2, time", TIME_STAMP),
        ("r.csv", "a,b\n1,2\n", "a,b\n1,2\n3,4\n", "line 3", DIFFERENCE),
        ("r.tsv", "a\tb\n1\t2\n", "a\tb\n1\t3\n", "line 2, b", DIFFERENCE),
        ("r.log", "epoch 1 in 3.2s\n", "epoch 1 in 3.3s\n", "line 1", TIME_STAMP),
        ("r.log", "epoch 1: 0.5\n", "epoch 1: 0.6\n", "line 1", DIFFERENCE),
        ("result", "a\nb\n", "a\nc\n", "line 2", DIFFERENCE),
        ("r.jsonl", '{"l": 1}\n{"l": 2}\n', '{"l": 1}\n{"l": 3}\n', "line 2: l", DIFFERENCE),
        ("r.txt", "a\n", "a", "line 1", DIFFERENCE),
        ("r.bin", "abcd", "abXd", "byte 2", DIFFERENCE),
    ],
)  # fmt: skip
def test_one_line_of_a_text(
    name: str, first: str, second: str, where: str, kind: str, tmp_path: Path
) -> None:
    """CSV by column, JSON lines by key, other text by line, all else by byte."""
    (found,) = compared(tmp_path, name, first.encode(), second.encode())

    assert (found.where, found.kind) == (where, kind)


SUFFIXES = [".npy", ".npz", ".pt", ".safetensors", ".h5", ".keras", ".json", ".csv", ".jsonl", ""]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_is_compared_by_its_bytes(suffix: str, tmp_path: Path) -> None:
    """A file that is not what its name says never ends the comparison, and never passes for
    equal."""
    chance = random.Random(suffix)
    whole = {".npy": npy(ARRAY), ".npz": archive({"a.npy": npy(ARRAY)}), ".h5": hdf5(ARRAY),
             ".safetensors": safetensors({"a": ARRAY}), ".keras": keras(ARRAY)}.get(
        suffix, b'{"a": [1, 2]}'
    )  # fmt: skip
    cases = [b"", whole[: len(whole) // 2], chance.randbytes(100), b"PK\x03\x04" + bytes(60)]

    for case in cases:
        for pair in ((whole, case), (case, whole)):
            assert any(each.counts for each in compared(tmp_path, f"f{suffix}", *pair)), case


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_changed_byte_ends_well(suffix: str, tmp_path: Path) -> None:
    """Whatever byte a disk may have lost, the comparison comes to its end."""
    chance = random.Random(suffix)
    whole = {".npy": npy(ARRAY), ".npz": archive({"a.npy": npy(ARRAY)}), ".h5": hdf5(ARRAY),
             ".safetensors": safetensors({"a": ARRAY}), ".keras": keras(ARRAY)}.get(
        suffix, b'{"a": [1, 2]}'
    )  # fmt: skip

    for _ in range(40):
        other = bytearray(whole)
        other[chance.randrange(len(other))] ^= 1 << chance.randrange(8)
        compared(tmp_path, f"f{suffix}", whole, bytes(other))


def test_many_findings_of_one_file_are_cut(tmp_path: Path) -> None:
    """A log that differs in each line takes a screen, not a report of its own."""
    texts = ["".join(f"{n + more}\n" for n in range(1000)).encode() for more in (0, 1)]

    found = compared(tmp_path, "r.log", *texts)

    assert len(found) == 21
    assert found[-1].where == "980 more places"


def _differing_names(file: Any, more: int) -> None:
    names = [f"layer {number}" for number in range(1500)]
    names[700] += "x" * more
    file.attrs.create("names", names, dtype=h5py.string_dtype())


def _differing_digit(file: Any, more: int) -> None:
    rows = file.create_dataset("rows", (2,), dtype=h5py.vlen_dtype(numpy.float64))
    rows[0] = numpy.arange(3.0)
    rows[1] = numpy.array([0.1 + more * 1e-12])


def _differing_in_the_middle(file: Any, more: int) -> None:
    row = numpy.arange(2000)
    row[900] += more
    file.create_dataset("rows", (1,), dtype=h5py.vlen_dtype(numpy.int32))[0] = row


@pytest.mark.parametrize(
    ("write", "where"),
    [
        (_differing_names, "@names[700]"),
        (_differing_digit, "/rows[1][0]"),
        (_differing_in_the_middle, "/rows[0][900]"),
    ],
)
def test_what_numpy_leaves_out_of_its_text(
    write: Callable[[Any, int], None], where: str, tmp_path: Path
) -> None:
    """Of rows of any length and of long lists each element and each digit is compared."""
    for more in (0, 1):
        with h5py.File(tmp_path / str(more), "w") as file:
            write(file, more)

    found = compare_files("w.h5", tmp_path / "0", tmp_path / "1")

    assert [(each.where, each.kind) for each in found] == [(where, DIFFERENCE)]


def test_references_are_equal_where_they_look_equal(tmp_path: Path) -> None:
    """As those of a dimension's scale, which h5py tells apart in two files."""
    for more in (0, 1):
        with h5py.File(tmp_path / str(more), "w", userblock_size=512 << more) as file:
            file["x"] = numpy.arange(3)
            file["x"].make_scale("x")
            file["w"] = numpy.arange(3)
            file["w"].dims[0].attach_scale(file["x"])

    assert compare_files("w.h5", tmp_path / "0", tmp_path / "1") == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"x,y\n1\r2,3\n", b"x,y\n1\r2,4\n"),
        (b"x,y\n" + b"a" * 140_000 + b",1\n", b"x,y\n" + b"b" * 140_000 + b",1\n"),
    ],
)
def test_a_row_that_is_none(first: bytes, second: bytes, tmp_path: Path) -> None:
    """What the reader of CSV refuses is compared as a line: a return in it, a field of 137 KiB."""
    (found,) = compared(tmp_path, "r.csv", first, second)

    assert (found.where, found.kind) == ("line 2", DIFFERENCE)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A byte is never equal to the letters that it is shown as."""
    (found,) = compared(tmp_path, "r.txt", b"\xff\n", b"\\xff\n")

    assert (found.where, found.kind, found.first) == ("line 1", DIFFERENCE, "\\xff")
