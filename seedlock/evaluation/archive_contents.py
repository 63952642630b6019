"""Archives and containers by their members: .npz, .pt, .keras, plain .zip, and HDF5."""

from __future__ import annotations

import importlib
import json
import posixpath
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from seedlock.evaluation import torch_contents
from seedlock.evaluation.array_contents import UnreadableContent, compare_elements, of_code
from seedlock.evaluation.findings import DIFFERENCE, TIME_STAMP, Finding, shown
from seedlock.evaluation.torch_contents import Storage, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Compare = Callable[[str, str, IO[bytes], IO[bytes]], Iterator[Finding]]

ROWS = 1 << 20
"""Elements of an HDF5 dataset that are read at a time."""

WITHOUT_H5PY = "h5py is not installed: compared byte by byte, so that a time stamp counts"


SAME_PARTS = "the pickles differ in the order of keys, or in what is one object and what a copy"


def is_torch(names: list[str]) -> bool:
    """Tell whether an archive's members are those that torch.save writes."""
    return any(posixpath.basename(name) == "data.pkl" for name in names)


def compare_zip(
    file: str, first: IO[bytes], second: IO[bytes], member: Compare
) -> Iterator[Finding]:
    """Compare two zip archives member by member; their order and time stamps don't count.

    Args:
        file: for the findings.
        first, second: the archives.
        member: compares two members: file, member's name, two streams.

    Raises:
        UnreadableContent: one is no zip archive.
    """
    try:
        with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
            if is_torch(one.namelist()) and is_torch(other.namelist()):
                yield from _torch(file, one, other, member)
            else:
                yield from _members(file, _by_name(one), _by_name(other), one, other, member)
    # zipfile raises NotImplementedError for a way of compression or encryption that it does not
    # know (CPython, Lib/zipfile.py); the files are compared byte by byte then.
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as problem:
        raise UnreadableContent(f"no zip archive: {problem}") from problem


def compare_keras_metadata(file: str, first: IO[bytes], second: IO[bytes]) -> Iterator[Finding]:
    """Compare the metadata.json of two .keras archives, whose `date_saved` is a time stamp
    (keras/src/saving/saving_lib.py, 3.15).

    Raises:
        ValueError: one is no JSON object.
    """
    one, other = json.load(first), json.load(second)
    for key in sorted({*one, *other}):
        values = [shown(each.get(key, "absent")) for each in (one, other)]
        if values[0] != values[1]:
            yield Finding(file, key, TIME_STAMP if key == "date_saved" else DIFFERENCE, *values)


def compare_hdf5(file: str, first: IO[bytes], second: IO[bytes]) -> Iterator[Finding]:
    """Compare two HDF5 files by groups, datasets and attributes; times that HDF5 keeps don't count.

    Raises:
        UnreadableContent: h5py is not installed, or one is no HDF5 file.
    """
    try:
        h5py = importlib.import_module("h5py")
    except ImportError as problem:
        raise UnreadableContent(WITHOUT_H5PY) from problem
    try:
        with h5py.File(first, "r") as one, h5py.File(second, "r") as other:
            yield from _group(file, "", one, other, h5py)
    except (OSError, RuntimeError) as problem:
        raise UnreadableContent(f"no HDF5 file: {problem}") from problem


def _by_name(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {each.filename: each for each in archive.infolist() if not each.is_dir()}


def _members(
    file: str,
    first: dict[str, zipfile.ZipInfo],
    second: dict[str, zipfile.ZipInfo],
    one: zipfile.ZipFile,
    other: zipfile.ZipFile,
    member: Compare,
) -> Iterator[Finding]:
    for name in sorted({*first, *second}):
        a, b = first.get(name), second.get(name)
        if a is None or b is None:
            sizes = ["absent" if each is None else f"{each.file_size} bytes" for each in (a, b)]
            yield Finding(file, name, DIFFERENCE, *sizes)
            continue
        with one.open(a) as stream, other.open(b) as counterpart:
            for found in member(file, name, stream, counterpart):
                yield found.inside(name)


def _torch(
    file: str, one: zipfile.ZipFile, other: zipfile.ZipFile, member: Compare
) -> Iterator[Finding]:
    first, second = _torch_members(one), _torch_members(other)
    try:
        parts = [
            list(torch_contents.leaves(torch_contents.contents(archive.read(members["data.pkl"]))))
            for archive, members in ((one, first), (other, second))
        ]
    except torch_contents.UnreadablePickle:
        yield from _members(file, first, second, one, other, member)
        return
    structure = list(_structure(file, dict(parts[0]), dict(parts[1])))
    if not structure and one.read(first["data.pkl"]) != other.read(second["data.pkl"]):
        structure = [Finding(file, "data.pkl", DIFFERENCE, note=SAME_PARTS)]
    yield from structure
    known = torch_contents.tensors(parts[0])

    def storage(file: str, name: str, a: IO[bytes], b: IO[bytes]) -> Iterator[Finding]:
        path, tensor = known.get(name.rpartition("/")[2], (name, None))
        little = one.read(first["byteorder"]) != b"big" if "byteorder" in first else True
        number = torch_contents.number(tensor, little) if tensor else None
        shape = tensor.shape if tensor and tensor.whole else None
        return compare_elements(file, path, a, b, number, shape)

    data = {name: info for name, info in first.items() if name.startswith("data/")}
    others = {name: info for name, info in second.items() if name.startswith("data/")}
    yield from _members(file, data, others, one, other, storage)
    rest = [
        {name: info for name, info in members.items() if name not in data and name != "data.pkl"}
        for members in (first, {k: v for k, v in second.items() if k not in others})
    ]
    yield from _members(file, rest[0], rest[1], one, other, member)


def _torch_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    found = {name.partition("/")[2]: info for name, info in _by_name(archive).items()}
    return {name: info for name, info in found.items() if name not in torch_contents.IGNORED}


def _structure(file: str, one: dict[str, Any], other: dict[str, Any]) -> Iterator[Finding]:
    for path in {**one, **other}:
        a, b = one.get(path, "absent"), other.get(path, "absent")
        tensors = isinstance(a, Tensor) and isinstance(b, Tensor)
        if tensors and (a[1:], a.storage.kind) == (b[1:], b.storage.kind):
            continue  # the storages are compared by themselves
        if repr(a) != repr(b):
            yield Finding(file, path, DIFFERENCE, _part(a), _part(b))


def _part(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value.storage.kind}{list(value.shape)}"
    return shown(value.kind if isinstance(value, Storage) else value)


def _group(file: str, path: str, one: Any, other: Any, h5py: Any) -> Iterator[Finding]:
    yield from _attributes(file, path, one, other)
    for name in sorted({*one, *other}):
        below = f"{path}/{name}"
        if name not in one or name not in other:
            present = ["present" if name in each else "absent" for each in (one, other)]
            yield Finding(file, below, DIFFERENCE, *present)
            continue
        a, b = one[name], other[name]
        if isinstance(a, h5py.Group) and isinstance(b, h5py.Group):
            yield from _group(file, below, a, b, h5py)
        elif isinstance(a, h5py.Dataset) and isinstance(b, h5py.Dataset):
            yield from _attributes(file, below, a, b)
            yield from _dataset(file, below, a, b)
        else:
            yield Finding(file, below, DIFFERENCE, type(a).__name__, type(b).__name__)


def _attributes(file: str, path: str, one: Any, other: Any) -> Iterator[Finding]:
    for name in sorted({*one.attrs, *other.attrs}):
        first, second = (each.attrs.get(name, "absent") for each in (one, other))
        if _holds_objects(first) and _holds_objects(second):
            yield from _objects(file, f"{path}@{name}", first, second)
        elif repr(first) != repr(second) or _raw(first) != _raw(second):
            yield Finding(
                file, f"{path}@{name}", DIFFERENCE, *map(shown, map(repr, (first, second)))
            )


def _holds_objects(value: Any) -> bool:
    return bool(getattr(getattr(value, "dtype", None), "hasobject", False))


def _objects(file: str, path: str, one: Any, other: Any) -> Iterator[Finding]:
    """Yield the first difference of values with texts or arrays of any length in them, if any.

    Element by element: NumPy's text for an array leaves digits and most elements out.
    """
    if _holds_objects(one) and _holds_objects(other):
        one, other = one.tolist(), other.tolist()
    raw = _raw(one), _raw(other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            found = next(_objects(file, f"{path}[{index}]", *pair), None)
            if found is not None:
                yield found
                return
    elif None not in raw and (one.dtype, one.shape) == (other.dtype, other.shape):
        first, second = (BytesIO(each or b"") for each in raw)
        yield from compare_elements(file, path, first, second, of_code(one.dtype.str), one.shape)
    elif repr(one) != repr(other):
        yield Finding(file, path, DIFFERENCE, *map(shown, map(repr, (one, other))))


def _raw(value: Any) -> bytes | None:
    plain = hasattr(value, "tobytes") and not _holds_objects(value)
    return bytes(value.tobytes()) if plain else None


def _dataset(file: str, path: str, one: Any, other: Any) -> Iterator[Finding]:
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        yield Finding(
            file,
            path,
            DIFFERENCE,
            *(f"{each.dtype}{list(each.shape or ())}" for each in (one, other)),
        )
        return
    if one.shape is None:
        return  # an empty dataset
    number = None if one.dtype.hasobject else of_code(one.dtype.str)
    width = max(1, one.size // max(1, one.shape[0])) if one.shape else 1
    rows = max(1, ROWS // width)
    for start in range(0, one.shape[0] if one.shape else 1, rows):
        piece = slice(start, start + rows) if one.shape else ()
        a, b = one[piece], other[piece]
        found = None
        if one.dtype.hasobject:
            found = next(_objects(file, path, a, b), None)
        elif _raw(a) != _raw(b):
            streams = BytesIO(_raw(a) or b""), BytesIO(_raw(b) or b"")
            found = next(compare_elements(file, path, *streams, number, a.shape), None)
        if found is not None:
            note = f"{found.note}; counted from row {start}" if start else found.note
            yield replace(found, note=note.lstrip("; "))
            return
