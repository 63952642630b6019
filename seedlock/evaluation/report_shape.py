"""A report as a stranger's file: it has the shape that seedlock writes, or it is none.

The program of a run can write what it likes into the folder of its reports. What reads them later
relies on this shape; a report that has another is a fault of the run and of nothing else.
"""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.plain_files import read_plain

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 32 << 20
"""Bytes of a report; one that names 10,000 files has one or two million."""

LONGEST_PLACE = 1000
"""Characters of a place in the family of processes."""

DEEPEST = 20
"""How deep its values may be nested. Later readers have less of the stack left than the first."""

MOST_SECONDS = 1e12
MOST_WHOLE = 2**64 - 1
"""Numbers are from 0 to these, so that no sum of them is infinite."""


class _Some(dict[str, Any]):
    """Keys that may be missing, where a plain dict's may not; any other key is free in both."""


class _Each:
    """An object whose values have one shape each."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


_SITES = [{"where": str, "function": str, "policy": str}]

_SHAPE = _Some(
    schema=int,
    seedlock=str,
    scheme=str,
    status=str,
    process=_Some(lineage=str, command=[str]),
    settings=_Some(),
    seeds=_Each(int),
    gaps=[str],
    user_seeds=_SITES,
    unseeded=_SITES,
    entropy=_SITES,
    libraries=_Each(_Some(
        version=str, gaps=[str], seeds=_Each(int), environment=_Each(str), replaced=_Each(str),
        flags=_Some(), overridden=_Each(_Some()),
    )),
    environment=_Each(str),
    lock=(None, {"sha256": str, "drift": _Some()}),
    reads={"files": [str], "more": int},
    usage={"user_s": float, "system_s": float, "peak_memory_bytes": int},
    hash_order=_Some(sites=[_Some()], files=int, more=int),
    machine=_Some(cpu=_Some(), threads=_Some(), gpu=_Some(devices=[_Some()])),
)  # fmt: skip


def read(path: Path) -> dict[str, Any] | None:
    """Return a report's content, or None where the file is none or can't be read."""
    try:
        content = json.loads(read_plain(path, LARGEST), parse_constant=_refuse, parse_float=_finite)
    except (OSError, ValueError, RecursionError):
        return None
    return content if fits(content) else None


def fits(content: object) -> bool:
    """Tell whether a JSON value has the shape of a report; only its process has to be there."""
    if not isinstance(content, dict) or "process" not in content or _is_deep(content):
        return False
    if not _fits(content, _SHAPE):
        return False
    return len(content["process"].get("lineage", "")) <= LONGEST_PLACE


def _is_deep(content: object) -> bool:
    level = [content]
    for _ in range(DEEPEST):
        level = [
            each for value in level if isinstance(value, (dict, list))
            for each in (value.values() if isinstance(value, dict) else value)
        ]  # fmt: skip
    return bool(level)


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, _Each):
        return isinstance(value, dict) and all(_fits(each, shape.shape) for each in value.values())
    if isinstance(shape, dict):
        present = [key for key in shape if not isinstance(value, dict) or key in value]
        whole = isinstance(shape, _Some) or len(present) == len(shape)
        return isinstance(value, dict) and whole and all(
            _fits(value[key], shape[key]) for key in present
        )  # fmt: skip
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(each, shape[0]) for each in value)
    if isinstance(shape, tuple):
        return any(_fits(value, each) for each in shape)
    if shape is None:
        return value is None
    if shape is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and 0 <= value <= MOST_SECONDS
    if shape is int:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_WHOLE
    return isinstance(value, str) and _is_text(value) if shape is str else isinstance(value, shape)


def _is_text(value: str) -> bool:
    """Tell whether a text could be a file's name: others make `os` raise where one is looked up."""
    try:
        return b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number
