"""One process's trace and its report, and its place in the family of processes."""

from __future__ import annotations

import json
import linecache
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.errors import BadTrace, printable
from seedlock.evaluation import report_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seedlock.evaluation.container_engine import Mount

    Event = dict[str, Any]

SCHEMA = 1
"""Version of the trace's schema that is read here."""

TRACE = ".trace.jsonl"
BLOCK = 1 << 20
"""Bytes read at a time."""


MOST_DIGITS = 18
"""Of a number in a place; a stranger's trace may have some that no int() takes."""


class Place(NamedTuple):
    """A place in the family of processes; processes that share one are numbered by their start."""

    path: str
    number: int = 0

    @property
    def name(self) -> str:
        """The place as text: empty for the first process, `0/1`, and `0/1 (2)` for a second."""
        return f"{self.path} ({self.number + 1})".strip() if self.number else self.path

    @property
    def order(self) -> tuple[tuple[tuple[int, str], ...], int]:
        """A key that sorts the first process before its children, and `0/2` before `0/10`."""
        pieces = re.split(r"(\d+)", self.path)
        return tuple(
            (int(n), "") if n.isdecimal() and len(n) <= MOST_DIGITS else (-1, n) for n in pieces
        ), self.number


class Process:
    """One process's trace.

    Attributes:
        trace, values: its files; the second may be missing.
        name: its files' common name.
        header: the trace's first line, empty where the process did not come to write it.
        place: its first place.
        ended: it came to its end, and says so.
        terminated: it is a pool's worker without an end, as pools terminate them: no trouble, but
            what it had not written is lost.
        left_out: events of other threads, which are not in the trace.
    """

    def __init__(self, trace: Path, mounts: Sequence[Mount] | None = None) -> None:
        self.trace = trace
        self._mounts = mounts
        self.name = trace.name.removesuffix(TRACE)
        self.values = trace.with_name(f"{self.name}.values")
        self.header = _header(trace)
        self.ended = self.terminated = False
        self.left_out = 0
        lineage = self.report.get("process", {}).get("lineage", "")
        self.place = str(self.header.get("place", lineage))

    @property
    def report(self) -> dict[str, Any]:
        """The report beside the trace, empty where there is none."""
        return read_report(self.trace.with_name(f"{self.name}.json")) or {}

    @property
    def start(self) -> tuple[int, str]:
        """A key that sorts processes by their start: reports are named PID-NANOSECONDS."""
        _, _, since = self.name.rpartition("-")
        return (int(since, 16) if re.fullmatch("[0-9a-f]{8,16}", since) else 0), self.name

    def lines_with(self, needle: bytes, end: int) -> Iterator[bytes]:
        """Yield the trace's lines that hold `needle`, from its beginning to byte `end`."""
        rest = b""
        with self.trace.open("rb") as file:
            while end > 0 and (data := file.read(min(BLOCK, end))):
                end -= len(data)
                block = rest + data
                cut = block.rfind(b"\n") + 1
                rest = block[cut:]
                for first, last in find_lines(block[:cut], needle):
                    yield block[first:last]

    def source(self, at: object) -> str | None:
        """Return the line of Python source that `at` names, as the file is now, or None."""
        lines = self.program(at)
        return lines[int(str(at).rpartition(":")[2]) - 1].strip() or None if lines else None

    def program(self, at: object) -> list[str]:
        """Return the lines of the Python file that `at` names, as it is now; none if it has no
        such line."""
        file, _, line = str(at).rpartition(":")
        # The trace may be a stranger's: it does not choose any file of this machine's to be shown.
        if not file.endswith(".py") or not line.isdecimal():
            return []
        path = os.path.join(str(self.header.get("cwd", "")), file)
        if self._mounts is not None:
            path = _mounted(self._mounts, os.path.normpath(path))
        lines = linecache.getlines(path) if os.path.isfile(path) else []  # a pipe has no end
        return lines if 0 < int(line) <= len(lines) else []


def _mounted(mounts: Sequence[Mount], path: str) -> str:
    """Return where this machine has what a container has at `path`; empty for what is its own."""
    for here, there in sorted(mounts, key=lambda mount: -len(mount.there)):
        if path == there:
            return str(here)
        if path.startswith(f"{there}/"):
            return os.path.join(here, path[len(there) + 1 :])
    return ""


def parse(line: bytes, trace: Path) -> Event:
    """Return one line of a trace.

    Raises:
        BadTrace: it is not a JSON object.
    """
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise unreadable(trace, f"a line that is not JSON ({problem})") from problem
    if not isinstance(event, dict):
        raise unreadable(trace, "a line that is not a JSON object")
    return event


def unreadable(trace: Path, what: str) -> BadTrace:
    """Return the error for a trace that is none.

    Args:
        trace: the file.
        what: it holds instead.
    """
    return BadTrace(
        f"{printable(str(trace), 200)} holds {printable(what, 120)}; allowed: what REPRO_TRACE "
        "writes (docs/trace.md); run the program again"
    )


def _header(trace: Path) -> Event:
    if trace.exists() and not trace.is_file():  # to open a pipe would wait for ever
        raise unreadable(trace, "no plain file")
    try:
        with trace.open("rb") as file:
            line = file.readline(BLOCK)
    except OSError as problem:
        raise unreadable(trace, str(problem.strerror)) from problem
    if not line.endswith(b"\n"):
        return {}
    header = parse(line, trace)
    if header.get("kind") != "trace":
        raise unreadable(trace, "no header in its first line")
    if header.get("schema") != SCHEMA:
        raise BadTrace(
            f"{printable(str(trace), 200)} has schema {printable(str(header.get('schema')))}; "
            f"allowed: {SCHEMA}; read it with the seedlock that wrote it"
        )
    return header


def read_report(file: Path) -> dict[str, Any] | None:
    """Return a report, or None where the file is none or can't be read."""
    return report_shape.read(file)


def find_lines(block: bytes, needle: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each of a block's whole lines that holds `needle`."""
    found = block.find(needle)
    while found >= 0:
        end = block.find(b"\n", found) + 1
        yield block.rfind(b"\n", 0, found) + 1, end
        found = block.find(needle, end)
