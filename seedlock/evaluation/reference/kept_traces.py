"""Traces of a reference run in one small file, and back (docs/reference.md, "Traces").

A file is gzip around the traces of all processes of a run, one behind the other in the order of
their start, each from its header on. It holds no path of the machine and no time: equal runs give
equal bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from seedlock.errors import printable
from seedlock.evaluation import traces
from seedlock.evaluation.processes import TRACE, parse
from seedlock.evaluation.reference.reference_errors import BadReference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedlock.evaluation.processes import Process

LARGEST_STEP = 256 << 10
LARGEST_OP = 96 << 10
"""Bytes of one compressed file: with 15 models all of them stay below 3 MiB in practice. A trace
of steps that is larger is cut as one of operations is."""

LARGEST_READ = 256 << 20
"""Bytes of a trace that is unpacked at all: a file of a stranger may be a bomb."""

LEFT_OUT = ("end", "entropy", "listing")
"""Kinds of events that are not kept: what the system gave, and the names in folders, of which that
of the installed packages changes with any of them. The end is written again by `unpack`."""

HEADER = b'{"kind":"trace",'

BROKEN = (ValueError, KeyError, IndexError, TypeError, RecursionError, OSError, EOFError,
          zlib.error)  # fmt: skip
"""What a stranger's file in the place of packed traces may raise."""

_PACKAGES = re.compile(r"^.*/(?=(?:site|dist)-packages/|python3\.\d+/)")


class Kept(NamedTuple):
    """A packed trace.

    Attributes:
        content: the file's bytes.
        events: how many it holds.
        whole: whether that is all that were to be kept.
    """

    content: bytes
    events: int
    whole: bool


def pack(reports: Path, until: int | None, largest: int) -> Kept:
    """Return the traces of a run, small.

    Args:
        reports: folder with the traces.
        until: events of this step and all later ones are left out; None to keep all.
        largest: bytes of the result; what comes later than fits is left out.

    Raises:
        BadTrace: a trace can't be read.
    """
    run = traces.Run(reports)
    lines = [line for process in run.processes for line in _lines(process, until)]
    every = sum(not line.startswith(HEADER) for line in lines)
    kept = lines
    content = _compressed(kept)
    while len(content) > largest and len(kept) > 1:
        kept = kept[: len(kept) * 4 // 5]
        content = _compressed(kept)
    events = sum(not line.startswith(HEADER) for line in kept)
    return Kept(content, events, events == every)


def unpack(
    content: bytes, shown: str, into: Path, cwd: str, until: int | None = None,
    most: int | None = None,
) -> traces.Run:  # fmt: skip
    """Write the traces of a packed file into a folder, and return them as a run.

    Args:
        content: the file's bytes.
        shown: its name for errors.
        into: new folder.
        cwd: folder in which the program's lines are found; empty where it is not here.
        until: events of this step and all later ones are left out; None to keep all.
        most: events at most, of all processes; None for all.

    Raises:
        BadReference: it is no such file.
    """
    of_processes: list[list[bytes]] = []
    left = most
    try:
        for line in _decompressed(content).splitlines(keepends=True):
            event = json.loads(line)
            if event["kind"] == "trace":
                steps = event["steps"] if until is None else [0, until]
                of_processes.append([_dumped({**event, "cwd": cwd, "steps": steps})])
            elif left != 0 and (until is None or event.get("step", 0) < until):
                of_processes[-1].append(line)
                left = None if left is None else left - 1
        if not of_processes:
            raise ValueError("empty")
    except BROKEN as problem:
        raise BadReference(
            f"{printable(shown, 200)} holds no traces ({printable(str(problem), 80)}); allowed: "
            "what seedlock reference measure wrote; take it from the repository again"
        ) from problem
    into.mkdir(parents=True)
    for number, lines in enumerate(of_processes):
        end = _dumped({"kind": "end", "events": len(lines) - 1, "left_out": 0})
        (into / f"kept-{number:08x}{TRACE}").write_bytes(b"".join((*lines, end)))
    return traces.Run(into)


def _lines(process: Process, until: int | None) -> Iterator[bytes]:
    with process.trace.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return  # cut off in the middle
            event = parse(line, process.trace)
            if event.get("kind") == "trace":
                yield _dumped({**event, "cwd": ""})
            elif event.get("kind") not in LEFT_OUT and (
                until is None or event.get("step", 0) < until
            ):
                yield _dumped({**event, "at": _place(event["at"])}) if "at" in event else line


def _place(at: str) -> str:
    """Return a call site without where this machine keeps what is not the program's own, and
    without the line there: it moves from release to release while nothing else does."""
    if not at.startswith("/"):
        return at
    short = _PACKAGES.sub("", at)
    short = short if not short.startswith("/") else short.rpartition("/")[2]
    return short.rpartition(":")[0] or short


def _dumped(event: dict[str, Any]) -> bytes:
    # As trace_file.py writes them: readers look for `"kind":"step"`.
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _compressed(lines: list[bytes]) -> bytes:
    return gzip.compress(b"".join(lines), compresslevel=9, mtime=0)


def _decompressed(content: bytes) -> bytes:
    with gzip.open(io.BytesIO(content)) as file:
        found = file.read(LARGEST_READ + 1)
    if len(found) > LARGEST_READ:
        raise ValueError(f"more than {LARGEST_READ >> 20} MiB")
    return found
