"""A run's traces, ordered by the places of its processes (docs/trace.md, "Reading").

One pass over the bytes finds where each place's events stand; single lines are parsed only when
someone asks for them. Memory does not grow with the number of events.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seedlock.errors import BadTrace, printable
from seedlock.evaluation.processes import (
    BLOCK,
    TRACE,
    Place,
    Process,
    find_lines,
    parse,
    read_report,
    unreadable,
)
from seedlock.lineage import of_worker

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from seedlock.evaluation.container_engine import Mount
    from seedlock.evaluation.processes import Event

PLACES = ("reports", "run/reports")
"""Where a run's folder has its reports, and the folder of a replay."""

LONGEST_LINE = 64 << 20
"""Bytes; a stranger's trace may have no line break in all its gigabytes."""

_PLACE = b'"kind":"place"'
_CHILD = b'"kind":"child"'
_STEP = b'"kind":"step"'
_END = b'"kind":"end"'
# A quotation mark inside a JSON text has a backslash before it: these bytes are never a value's.


class Segment(NamedTuple):
    """Lines that belong to one place: bytes `start` to `end` of a process's trace."""

    process: Process
    start: int
    end: int


class Stream:
    """The events of one place, in their order.

    Attributes:
        place: whose events.
        segments: where they stand.
        events: their number.
        steps: number of events of kind `step`.
        children: place of each child that was started here, with the offset behind that event.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.segments: list[Segment] = []
        self.events = 0
        self.steps = 0
        self.children: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Number of bytes of all events."""
        return sum(end - start for _, start, end in self.segments)

    @property
    def process(self) -> Process:
        """The process of these events."""
        return self.segments[-1].process

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset`, fewer at the end."""
        found = []
        for process, start, end in self.segments:
            length = end - start
            if offset < length and size > 0:
                with process.trace.open("rb") as file:
                    file.seek(start + offset)
                    data = file.read(min(size, length - offset))
                found.append(data)
                size -= len(data)
                offset += len(data)
            offset -= min(offset, length)
        return b"".join(found)

    def before(self, offset: int, count: int) -> list[Event]:
        """Return the last `count` events before `offset`."""
        size = 4096
        while count > 0:
            lines = self.read(max(0, offset - size), min(size, offset)).splitlines()
            if size >= offset or len(lines) > count:
                return [parse(line, self.process.trace) for line in lines[-count:]]
            size *= 4
        return []

    def take(self, segment: Segment) -> None:
        """Add a segment; of empty ones only the first, which says whose place this is."""
        if segment.start < segment.end or not self.segments:
            self.segments.append(segment)

    def note_children(self, block: bytes, offset: int, trace: Path) -> None:
        """Note the children that are started in whole lines at `offset` of the segment to come."""
        for first, last in find_lines(block, _CHILD):
            path = str(parse(block[first:last], trace).get("text", ""))
            self.children.setdefault(path, self.size + offset + last)

    def in_file(self, offset: int) -> int:
        """Return where in the process's file an offset of this place is."""
        for _, start, end in self.segments:
            if offset < end - start:
                return start + offset
            offset -= end - start
        return self.segments[-1].end


class Run:
    """What one run left: a folder that REPRO_REPORT named, one that holds it in one of `PLACES`, or
    a single trace.

    Attributes:
        path: as given.
        processes: those with a trace, by their start.
        streams: the events of each place.
        untraced: names of reports without a trace.

    Args:
        path: where the traces are.
        mounts: where this machine has the files that a container's traces name; None where the
            traces are this machine's own.

    Raises:
        BadTrace: nothing is there, no trace, or one that can't be read.
    """

    def __init__(self, path: str | os.PathLike[str], mounts: Sequence[Mount] | None = None) -> None:
        self.path = Path(path)
        folder = self.path
        traces = [folder] if folder.is_file() else sorted(folder.glob(f"*{TRACE}"))
        for below in PLACES:
            if not traces and (self.path / below).is_dir():
                folder = self.path / below
                traces = sorted(folder.glob(f"*{TRACE}"))
        if not traces:
            there = self.path.exists()
            lacks = "holds no trace" if there else "is not there"
            cure = "run the program with REPRO_REPORT and REPRO_TRACE=step"
            raise BadTrace(
                f"{printable(str(path), 200)} {lacks}; allowed: the folder that "
                "REPRO_REPORT named, one that holds it as reports/ or run/reports/, or one "
                ".trace.jsonl file; "
                f"{cure if there else 'look where it lies'}"
            )
        self.processes = sorted(
            (Process(trace, mounts) for trace in traces), key=lambda process: process.start
        )
        self.streams: dict[Place, Stream] = {}
        traced = {process.name for process in self.processes}
        self.untraced = [] if self.path.is_file() else [
            file.stem for file in sorted(folder.glob("*.json"))
            if file.stem not in traced and read_report(file) is not None
        ]  # fmt: skip
        for process in self.processes:
            self._index(process)

    @property
    def events(self) -> int:
        """Number of events in all traces."""
        return sum(stream.events for stream in self.streams.values())

    @property
    def steps(self) -> int:
        """Number of optimizer steps in all traces."""
        return sum(stream.steps for stream in self.streams.values())

    @property
    def seed(self) -> object:
        """The root seed of the first process, None where it is not known."""
        return self.processes[0].header.get("seed")

    def troubles(self) -> list[str]:
        """Return why this run is not fully traced; empty if it is."""
        found = [f"{name} left a report and no trace" for name in self.untraced]
        found += [
            f"{process.name} (place '{process.place}') did not come to its end: its trace is cut"
            for process in self.processes
            if not (process.ended or process.terminated)
        ]
        if not self.path.is_file():
            found += [
                f"{p.name} left a trace and no report" for p in self.processes if not p.report
            ]
        if self.events == 0:
            found.append("its traces hold no events")
        return found

    def _stream(self, path: str, process: Process) -> Stream:
        """The events of `path` in `process`: numbered after those of processes before it."""
        place = Place(path)
        while place in self.streams and self.streams[place].process is not process:
            place = Place(path, place.number + 1)
        return self.streams.setdefault(place, Stream(place))

    def _index(self, process: Process) -> None:
        stream = self._stream(process.place, process)
        begin = end = 0
        for start, block in _blocks(process.trace):
            if start == 0:  # the header
                begin = block.find(b"\n") + 1
                block, start = block[begin:], begin
            at = 0
            for first, last in find_lines(block, _PLACE):
                _count(stream, block[at:first], start + at - begin, process.trace)
                stream.take(Segment(process, begin, start + first))
                begin, at = start + last, last
                path = str(parse(block[first:last], process.trace).get("text", ""))
                stream = self._stream(path, process)
            _count(stream, block[at:] if at else block, start + at - begin, process.trace)
            end = start + len(block)
        stream.take(Segment(process, begin, max(begin, end)))
        _take_end(process, end)


def _blocks(trace: Path) -> Iterator[tuple[int, bytes]]:
    """Yield whole lines of a trace with their offset, without its last line if that is the end of
    the trace or not whole."""
    offset = 0
    rest = b""
    with trace.open("rb") as file:
        while data := file.read(BLOCK):
            block = rest + data
            cut = block.rfind(b"\n", 0, max(block.rfind(b"\n"), 0)) + 1
            if cut:
                yield offset, block[:cut]
            offset, rest = offset + cut, block[cut:]
            if len(rest) > LONGEST_LINE:
                raise unreadable(trace, "a line that has no end")
    cut = rest.find(b"\n") + 1
    if cut and _END not in rest[:cut]:
        yield offset, rest[:cut]


def _take_end(process: Process, end: int) -> None:
    """Note how a process came to its end, from what stands behind its last event."""
    with process.trace.open("rb") as file:
        file.seek(end)
        last = file.read(BLOCK)
    if last.endswith(b"\n") and _END in last:
        process.ended = True
        left_out = parse(last, process.trace).get("left_out")
        process.left_out = left_out if isinstance(left_out, int) else 0
    else:
        process.terminated = not last and bool(process.header) and of_worker(process.place)


def _count(stream: Stream, block: bytes, offset: int, trace: Path) -> None:
    """Count the events in whole lines that stand at `offset` of the segment under way."""
    stream.events += block.count(b"\n")
    stream.steps += block.count(_STEP)
    if _CHILD in block:
        stream.note_children(block, offset, trace)
