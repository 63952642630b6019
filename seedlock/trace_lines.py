"""The lines of a trace: what is written about a result, and where the author's code stands."""

from __future__ import annotations

import os
import struct

from seedlock.callers import author, is_library, shown, written
from seedlock.digests import Digester

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from seedlock.arrays import Array

    Line = dict[str, object]

SCHEMA = 1
"""Version of the trace's format (docs/trace.md)."""

OUTSIDE = ("seed", "unseeded", "entropy", "listing")
"""Kinds of events that are none while a library is being imported: what it draws and lists then
follows from caches and comes to no result."""

NESTED = ("batch", "step", "call", "fit")
"""Kinds of results of which only the outermost counts: a compiled training function holds the
optimizer's step, a pipeline's fit that of its estimators."""

SEVERAL = (*NESTED, "checkpoint", "op")
"""Kinds of results whose items are digested each for itself as well."""

_FORMATS = {"float64": "<d", "float32": "<f", "float16": "<e"}


class Described:
    """What `Lines.described` found out about a value, to be noted later.

    Args:
        found: keys of a line.
    """

    __slots__ = ("found",)

    def __init__(self, found: Line) -> None:
        self.found = found


class Lines:
    """Make lines out of what happened.

    Attributes:
        digester: what makes the digests.
        cwd: the working folder at the start, below which files are named relative to it.
    """

    def __init__(self) -> None:
        self.digester = Digester()
        self.cwd = os.getcwd()
        self._below = os.path.join(self.cwd, "")
        self._short: dict[str, str] = {}
        self.begin()

    def begin(self) -> None:
        """Begin a trace, or a task's part of it: names are sent again."""
        self._named: set[tuple[str, str]] = set()

    def header(
        self, mode: str, window: tuple[int, int] | None, place: str, seed: int | None
    ) -> Line:
        """Return a trace's first line; its place in the family is the process's."""
        return {
            "kind": "trace",
            "schema": SCHEMA,
            "mode": mode,
            "algorithm": self.digester.algorithm,
            "steps": window,
            "place": place,
            "cwd": self.cwd,
            "seed": seed,
        }

    def event(self, kind: str, step: int, op: str, at: str | None) -> Line:
        """Return the line of an event without a result.

        Args:
            kind: as docs/trace.md lists them.
            step: number of optimizer steps finished so far.
            op: what was called.
            at: `file:line`; None for the author's line that called.
        """
        if at is None:
            frame, _ = author(3)
            file, number = written(frame)
            at = f"{self._near(file)}:{number}"
        else:
            file, colon, line = at.rpartition(":")
            at = f"{self._near(file)}{colon}{line}"
        return {"kind": kind, "step": step, "op": op, "at": at}

    def here(self) -> tuple[str, bool]:
        """Return `file:line` of the author's code that called in this thread, and True; that of
        the outermost frame and False where there is none of the author's."""
        frame, _ = author(3)
        file, number = written(frame)
        return f"{self._near(file)}:{number}", not is_library(file)

    def result(self, line: Line, value: Any, names: Sequence[str] | None) -> list[Array]:
        """Write into the line of an event what came of it.

        Args:
            line: the line.
            value: what `Digester.of` takes, or what `described` returned.
            names: of the value's items, if any.

        Returns:
            The arrays in the value; none of one that was described before.

        Raises:
            Undigestible: the value holds what has no content to compare.
        """
        arrays: list[Array] = []
        if type(value) is Described:
            line.update(value.found)
            return arrays
        several = line["kind"] in SEVERAL
        items = _items(value) if several else None
        if items is None:
            line["digest"] = self.digester.of(value, arrays)
        else:
            digests = [self.digester.of(item, arrays) for item in items]
            line["digest"] = self.digester.of_bytes("".join(digests).encode())
            line["parts"] = " ".join([each[:8] for each in digests])
            if names is None and isinstance(value, dict):
                names = [str(name) for name in value]
            if names is not None:
                key = (str(line["op"]), " ".join(names))
                if key not in self._named:
                    self._named.add(key)
                    line["names"] = list(names)
        if arrays:
            line["what"] = " ".join([str(each) for each in arrays])
        text = one_number(arrays) if arrays else None
        if several and not arrays and isinstance(value, (int, float, str)):
            text = value.hex() if isinstance(value, float) else shown(value)
        if text is not None:
            line["text"] = text
        return arrays

    def described(self, kind: str, value: Any) -> Described:
        """Return what `result` would write about a value without names, in any thread.

        Args:
            kind: of the event that it will be.
            value: what `Digester.of` takes, but no dictionary.

        Raises:
            Undigestible: the value holds what has no content to compare.
        """
        line: Line = {"kind": kind}
        self.result(line, value, None)
        return Described(line)

    def number(self, value: object) -> str | None:
        """Return the text of one number, floats in hexadecimal; None if it is none."""
        if isinstance(value, float):
            return value.hex()
        arrays: list[Array] = []
        self.digester.of(value, arrays)
        return one_number(arrays)

    def _near(self, file: str) -> str:
        short = self._short.get(file)
        if short is None:
            short = self._short[file] = file.removeprefix(self._below)
        return short


def one_number(arrays: list[Array]) -> str | None:
    """Return the text of the only element of the only array, floats in hexadecimal; None where
    there is more, or none."""
    if len(arrays) != 1 or any(size != 1 for size in arrays[0].shape):
        return None
    dtype, data = arrays[0].dtype, bytes(arrays[0].data)
    if dtype in _FORMATS:
        return float(struct.unpack(_FORMATS[dtype], data)[0]).hex()
    if dtype == "bfloat16":
        return float(struct.unpack("<f", b"\0\0" + data)[0]).hex()
    if dtype.startswith(("int", "uint")):
        return str(int.from_bytes(data, "little", signed=dtype[0] == "i"))
    return None


def _items(value: Any) -> Any:
    if type(value) in (list, tuple):
        return value
    return value.values() if type(value) is dict else None
