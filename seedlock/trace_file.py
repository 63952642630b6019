"""The files of one process's trace: lines as they come, and the bytes of results that are kept."""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedlock.arrays import Array

FLUSH_BYTES = 1 << 16
FLUSH_SECONDS = 0.5
"""When lines go to disk: so many bytes of them, or at the first step after so much time, for
whoever watches a run."""

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
_chunks: Callable[[object, int], tuple[str, ...]] = vars(json.encoder)["c_make_encoder"](
    None, None, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)
"""What `json.dumps` makes anew for each object, which takes longer than to use it."""


class TraceFile:
    """`NAME.trace.jsonl`, and `NAME.values` once something is kept.

    Args:
        base: path without its ending, in a folder that can be written.
        budget: bytes of values to keep at most.
        at_once: write each line as it comes, for a process that others may end before its time,
            as the workers of a pool are.
    """

    def __init__(self, base: str, budget: int, at_once: bool) -> None:
        self._most = 0 if at_once else FLUSH_BYTES
        self._base = base
        self._budget = budget
        self._lines: list[str] = []
        self._size = 0
        self._kept = 0
        self._flushed = time.monotonic()
        self._file = os.open(f"{base}.trace.jsonl", _FLAGS, 0o644)
        self._values = -1

    @property
    def room(self) -> int:
        """Bytes of values that can still be kept."""
        return self._budget - self._kept

    def write(self, line: Mapping[str, object]) -> None:
        """Write a line, now or with the next ones."""
        text = "".join(_chunks(line, 0)) + "\n"
        self._lines.append(text)
        self._size += len(text)
        if self._size > self._most:
            self.flush()

    def take_back(self) -> bool:
        """Forget the last line, unless it is on disk; return whether that was done."""
        if self._lines:
            self._size -= len(self._lines.pop())
            return True
        return False

    def flush(self) -> None:
        """Write the lines that wait."""
        _write(self._file, memoryview("".join(self._lines).encode()))
        self._lines.clear()
        self._size = 0
        self._flushed = time.monotonic()

    def step(self) -> None:
        """Write the lines that wait, if they have waited for long."""
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def keep(self, arrays: list[Array]) -> list[list[int]] | None:
        """Keep the bytes of arrays; return offset and size of each, or None if they are too many
        for the budget."""
        if self._kept + sum(len(each.data) for each in arrays) > self._budget:
            return None
        if self._values == -1:
            self._values = os.open(f"{self._base}.values", _FLAGS, 0o644)
        kept = []
        for each in arrays:
            kept.append([self._kept, len(each.data)])
            _write(self._values, memoryview(each.data))
            self._kept += len(each.data)
        return kept

    def close(self) -> None:
        """Close the files without writing what waits: in a forked child they are the parent's."""
        for descriptor in (self._file, self._values):
            if descriptor != -1:
                os.close(descriptor)


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
