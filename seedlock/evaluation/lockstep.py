"""Read the events of one place in two runs side by side and find the first that differ.

Equal blocks are skipped by comparing bytes; only lines that differ are parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.evaluation.number_formats import first_byte
from seedlock.evaluation.processes import BLOCK, parse

if TYPE_CHECKING:
    from seedlock.evaluation.processes import Event
    from seedlock.evaluation.traces import Stream

RESULTS = ("batch", "step", "call", "fit", "checkpoint", "op")
"""Kinds of events that are results (docs/trace.md)."""

RESULT_FIELDS = ("op", "what", "digest", "text", "loss")
"""What of a result is compared where only results count."""

FIELDS = ("kind", "step", "op", "at", "what", "text", "digest", "loss", "parts", "rng")
"""In this order differing fields are named; others follow."""

BOOKKEEPING = ("kept", "names")
"""What depends on the process and not on what it did: where in its file a value stands, and
whether it has named an operation's arrays before, in another task."""

DRAWN = ("digest", "parts", "text")
"""What of a draw from the system differs from run to run."""

MACHINERY = ("importlib.", "multiprocessing.", "concurrent.", "joblib.", "tempfile.")
"""Beginnings of operations in which Python's own machinery draws keys and names, which reach no
result."""

REMEMBERED = 8
"""How many draws from the system that differ are kept."""

SMALL_BLOCK = 1 << 12


@dataclass(frozen=True)
class Difference:
    """The first events that differ.

    Attributes:
        first, second: the events; None where one trace came to its end.
        index: number of the event in its place, from 0, in the first run, or in the second where
            the first has none.
        offsets: where in the two streams they begin.
        differs: names of the fields that differ; empty where there is one event only.
        drawn: draws from the system before it that got other bytes, in the first run; the last
            `REMEMBERED` that are not Python's own machinery's.
        strayed: libraries whose generators' states differed at a result before it that was equal.
    """

    first: Event | None
    second: Event | None
    index: int
    offsets: tuple[int, int]
    differs: tuple[str, ...]
    drawn: tuple[Event, ...] = ()
    strayed: tuple[str, ...] = ()

    @property
    def minor(self) -> bool:
        """Whether nothing differs but what the system gave, or generators' states."""
        return self.differs == ("rng",) or (
            bool(self.differs) and _is_draw(self.first, self.differs)
        )


class Reader:
    """The lines of a stream, from its beginning.

    Attributes:
        offset: where in the stream the next line begins.
        begin: where the last one began that `line` returned; the end, if there was none.
        index: number of lines before.
    """

    def __init__(self, stream: Stream, offset: int = 0) -> None:
        self._stream = stream
        self._read = offset
        self._buffer = b""
        self._at = 0
        self.offset = self.begin = offset
        self.index = 0

    def lines(self, size: int) -> int:
        """Make at least `size` bytes ready, or all that are left, or one line if that is longer.

        Returns:
            How many bytes of whole lines are ready; 0 at the end.
        """
        while True:
            ready = len(self._buffer) - self._at
            if ready < size and self._fill():
                continue
            whole = self._buffer.rfind(b"\n", self._at) + 1 - self._at
            if whole > 0 or not self._fill():
                return max(whole, 0)

    def _fill(self) -> bool:
        data = self._stream.read(self._read, BLOCK)
        self._read += len(data)
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        return bool(data)

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes that are ready."""
        return self._buffer[self._at : self._at + size]

    def skip(self, data: bytes) -> None:
        """Go on behind `data`, whole lines that `peek` returned."""
        self._at += len(data)
        self.offset += len(data)
        self.index += data.count(b"\n")

    def line(self) -> bytes:
        """Return the next line and go on behind it; empty at the end."""
        self.begin = self.offset
        if not self.lines(1):
            return b""
        data = self._buffer[self._at : self._buffer.find(b"\n", self._at) + 1]
        self.skip(data)
        return data


def differing(first: Event, second: Event, results: bool = False) -> tuple[str, ...]:
    """Return the names of the fields in which two events differ.

    Args:
        results: regard results only, as `RESULT_FIELDS` says.
    """
    if results:
        return tuple(name for name in RESULT_FIELDS if first.get(name) != second.get(name))
    known = [*FIELDS, *sorted({*first, *second} - {*FIELDS, *BOOKKEEPING})]
    if "names" in first and "names" in second:
        known.append("names")
    return tuple(name for name in known if first.get(name) != second.get(name))


def first_difference(a: Stream, b: Stream, results: bool = False) -> Difference | None:
    """Return the first events in which two streams differ, or None.

    What a draw from the system got differs from run to run, as does the state of a generator that
    nobody seeded. They count when they reach something else: the first that differs is returned
    only if nothing else does, and no draw of Python's own machinery.

    Args:
        results: regard results only; what is no result is passed over in either stream.
    """
    one, other = Reader(a), Reader(b)
    block = BLOCK
    draws: list[Event] = []
    strayed: dict[str, None] = {}
    least: Difference | None = None
    while True:
        _skip_equal(one, other, block)
        block = SMALL_BLOCK  # lest one block be compared for each of its lines
        first, second = _next(one, a, results), _next(other, b, results)
        if first is None and second is None:
            return least
        names = () if first is None or second is None else differing(first, second, results)
        if first is not None and second is not None and not names:
            continue
        index = other.index - 1 if first is None else one.index - 1
        found = Difference(
            first, second, index, (one.begin, other.begin), names, tuple(draws), tuple(strayed)
        )
        if not found.minor:
            return found
        assert first is not None and second is not None
        if names == ("rng",):
            least = least or found
            strayed.update(dict.fromkeys(straying(first, second)))
            continue
        if not str(first.get("op")).startswith(MACHINERY):
            least = least or found
            if any(_site(first) == _site(each) for each in draws):
                continue
            draws = [*draws, first][-REMEMBERED:]


def straying(first: Event, second: Event) -> list[str]:
    """Return the libraries whose generators' states differ between two events."""
    one, other = dict(first.get("rng", {})), dict(second.get("rng", {}))
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def _is_draw(event: Event | None, differs: tuple[str, ...]) -> bool:
    return event is not None and event.get("kind") == "entropy" and {*differs} <= {*DRAWN}


def _site(event: Event) -> tuple[object, object]:
    return event.get("op"), event.get("at")


def _next(reader: Reader, stream: Stream, results: bool) -> Event | None:
    while line := reader.line():
        event = parse(line, stream.process.trace)
        if not results or event.get("kind") in RESULTS:
            return event
    return None


def _skip_equal(one: Reader, other: Reader, size: int) -> None:
    """Pass over all lines up to the first that differ, in blocks that grow from `size`."""
    while True:
        ready = min(one.lines(size), other.lines(size), size)
        first, second = one.peek(ready), other.peek(ready)
        if first == second:
            whole = first.rfind(b"\n") + 1
            if not whole:
                if ready < size:
                    return
                size *= 2
                continue
            one.skip(first[:whole])
            other.skip(first[:whole])
            size = min(2 * size, BLOCK)
            continue
        equal = first[: first_byte(first, second)]
        equal = equal[: equal.rfind(b"\n") + 1]
        one.skip(equal)
        other.skip(equal)
        return
