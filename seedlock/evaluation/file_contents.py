"""Two files, compared by what they hold where the format is known, else byte by byte."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from seedlock.evaluation.archive_contents import compare_hdf5, compare_keras_metadata, compare_zip
from seedlock.evaluation.array_contents import (
    PIECE,
    UnreadableContent,
    compare_elements,
    compare_npy,
    compare_safetensors,
)
from seedlock.evaluation.findings import Finding, limited
from seedlock.evaluation.json_contents import compare_json
from seedlock.evaluation.text_contents import compare_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARCHIVES = (".npz", ".pt", ".pth", ".ckpt", ".bin", ".keras", ".zip")
"""`.ckpt` and `.bin` are often archives of torch.save; others of the name are compared by bytes."""

HDF5 = (".h5", ".hdf5")
JSON = (".json", ".ipynb")
TEXT = (".csv", ".tsv", ".txt", ".log", ".md", ".jsonl", ".yaml", ".yml", ".xml", ".html", ".toml")
MOST = 512 << 20
"""Bytes of the largest document or archive member that is read in one piece."""

BY_BYTES = "compared byte by byte"
BROKEN = (
    ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError, EOFError, OSError,
    RuntimeError, zlib.error, struct.error,
)  # fmt: skip
"""What reading a file raises that is not what its name promises, or that is damaged; ValueError
holds UnreadableContent and undecodable text."""


def compare_files(file: str, first: Path, second: Path) -> list[Finding]:
    """Compare two files.

    Args:
        file: name for the findings.
        first, second: paths of readable files.

    Returns:
        Nothing where the bytes are equal. Otherwise at least one finding, or nothing where a
        container differs only in what does not count, as the order and the times of its members.
    """
    with first.open("rb") as one, second.open("rb") as other:
        if equal(one, other):
            return []
        return _compare(file, file, one, other)


def equal(one: IO[bytes], other: IO[bytes]) -> bool:
    """Tell whether two streams have equal bytes."""
    while True:
        a, b = one.read(PIECE), other.read(PIECE)
        if a != b:
            return False
        if not a:
            return True


def _compare(file: str, name: str, one: IO[bytes], other: IO[bytes]) -> list[Finding]:
    one.seek(0)
    other.seek(0)
    try:
        return limited(_by_content(file, name, one, other))
    except BROKEN as problem:
        one.seek(0)
        other.seek(0)
        note = f"{BY_BYTES}: {problem}" if str(problem) else ""
        compared = compare_elements(file, "", one, other, None, None)
        return [replace(each, note=note) for each in compared]


def _by_content(file: str, name: str, one: IO[bytes], other: IO[bytes]) -> Iterator[Finding]:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in ARCHIVES:
        return compare_zip(file, one, other, _member)
    if suffix == ".npy":
        return compare_npy(file, one, other)
    if suffix == ".safetensors":
        return compare_safetensors(file, one, other)
    if suffix in HDF5:
        return compare_hdf5(file, one, other)
    if suffix in JSON:
        return compare_json(file, _whole(one), _whole(other))
    if suffix in TEXT or (not suffix and _is_text(one) and _is_text(other)):
        return compare_lines(file, suffix, one, other)
    raise UnreadableContent


def _member(file: str, name: str, one: IO[bytes], other: IO[bytes]) -> Iterator[Finding]:
    """Compare two members of an archive, which can be read once and forwards."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".npy":
        return compare_npy(file, one, other)
    if name == "metadata.json" and file.endswith(".keras"):
        return compare_keras_metadata(file, one, other)
    if suffix in (*HDF5, *JSON, *TEXT, *ARCHIVES):
        first, second = BytesIO(_whole(one)), BytesIO(_whole(other))
        return iter([] if equal(first, second) else _compare(file, name, first, second))
    return compare_elements(file, "", one, other, None, None)


def _whole(stream: IO[bytes]) -> bytes:
    content = stream.read(MOST + 1)
    if len(content) > MOST:
        raise UnreadableContent(f"larger than {MOST >> 20} MiB")
    return content


def _is_text(stream: IO[bytes]) -> bool:
    beginning = stream.read(8192)
    stream.seek(0)
    try:
        beginning[:8188].decode()
    except UnicodeDecodeError as problem:
        return problem.start > 8180
    return b"\0" not in beginning
