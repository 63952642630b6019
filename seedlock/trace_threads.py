"""Operations of other threads that work for the traced one while it waits for them."""

from __future__ import annotations

from _thread import allocate_lock, get_ident

from seedlock.arrays import Array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from seedlock.trace import Trace
    from seedlock.trace_lines import Line, Lines


class _Thread:
    # What one thread came to.

    __slots__ = ("rank", "busy", "kept", "events")

    def __init__(self, rank: int | None) -> None:
        self.rank = rank
        self.busy = False
        self.kept = 0
        self.events: list[tuple[Line, list[Array]]] = []


class Awaiting:
    """A block of `Trace.awaiting`; within another one, or in another thread, it is none.

    Each operation is described in the thread where it happens, when it happens. At the end of the
    block the threads' events are noted one thread after the other, by their ranks: how the
    threads' work interleaved depends on scheduling. Of several threads with one rank nobody knows
    which came first, and their events are left out and counted.

    Args:
        trace: the trace in which the operations are noted.
        lines: what describes them.
        room: bytes of values that there is room for, -1 if none are kept.
        rank: as for `Trace.awaiting`.
    """

    __slots__ = ("_trace", "_lines", "_room", "_rank", "_threads", "_lock", "_open", "_step")

    def __init__(
        self, trace: Trace, lines: Lines, room: int, rank: Callable[[], int | None]
    ) -> None:
        self._trace = trace
        self._lines = lines
        self._room = room
        self._rank = rank
        # By number, since to Python a thread of C++ code's may be another one at each call: what
        # is local to a thread is gone then. Those of autograd's engine don't end.
        self._threads: dict[int, _Thread] = {}
        self._lock = allocate_lock()
        self._open = False
        self._step = 0

    def __enter__(self) -> None:
        trace = self._trace
        if trace.awaited is None and not trace.idle():
            self._step = trace.step  # the traced thread may finish one meanwhile, at any time
            self._open = True
            trace.awaited = self

    def __exit__(self, *problem: object) -> None:
        trace = self._trace
        if trace.awaited is not self or trace.idle():  # as in a child forked in the block
            return
        trace.awaited = None
        with self._lock:  # after an error some thread may still be at work
            self._open = False
        ranked: dict[int, list[_Thread]] = {}
        for thread in self._threads.values():
            if thread.events and thread.rank is not None:
                ranked.setdefault(thread.rank, []).append(thread)
        if not ranked:
            return
        caller, _ = self._lines.here()
        for _, threads in sorted(ranked.items()):
            if len(threads) > 1:
                trace.left_out += sum(len(thread.events) for thread in threads)
                continue
            for line, arrays in threads[0].events:
                line["at"] = line["at"] or caller
                trace.take_in(line, arrays)

    def take(self, kind: str, op: str, value: object) -> bool:
        """Take in what an operation of this thread came to; return False for another kind of
        result, and for a thread that is not waited for, or not any more.

        Args:
            kind: as docs/trace.md lists them.
            op: what was called.
            value: as for `Trace.result`, but no dictionary.

        Raises:
            Undigestible: the value holds what has no content to compare.
        """
        if kind != "op":
            return False
        ident = get_ident()
        thread = self._threads.get(ident)
        if thread is None:
            thread = self._threads[ident] = _Thread(self._rank())
        if thread.rank is None:
            return False
        if thread.busy:
            return True  # seedlock's own work
        thread.busy = True
        try:
            at, authors = self._lines.here()
            line = self._lines.event(kind, self._step, op, at if authors else "")
            arrays = self._copied(thread, self._lines.result(line, value, None))
        finally:
            thread.busy = False
        with self._lock:
            if self._open:
                thread.events.append((line, arrays))
            return self._open

    def _copied(self, thread: _Thread, arrays: list[Array]) -> list[Array]:
        # What is kept of the other threads' values is not known yet, what of this one's is: so
        # it does not depend on scheduling which values there are.
        size = sum(len(each.data) for each in arrays)
        if thread.kept + size > self._room:
            return []
        thread.kept += size
        return [Array(each.dtype, each.shape, bytes(each.data)) for each in arrays]
