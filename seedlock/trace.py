"""The trace of one process: what happened in which order, with a digest of every result.

docs/trace.md has the format. Lines go to disk as they come, so that memory stays flat, and hold
nothing that may differ between two runs that do the same: no time, no process id, no address.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from seedlock.callers import importing
from seedlock.trace_blocks import Nested, Outside
from seedlock.trace_file import TraceFile
from seedlock.trace_lines import NESTED, OUTSIDE, Lines
from seedlock.trace_threads import Awaiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedlock.arrays import Array
    from seedlock.settings import Settings
    from seedlock.tracers.base import Tracer

MEBIBYTE = 1 << 20


class Trace:
    """The events of one process.

    Attributes:
        mode: `step` or `op`.
        window: the steps at which operations are noted, the second not; None for all.
        step: number of optimizer steps finished so far.
        left_out: number of events of other threads than the one that began, which have no order.
        gap: notes once what the trace can't hold.
        digester: what makes the digests.
        depth: how many blocks of `nested` the process is in.
        awaited: the block of `awaiting` that the process is in, the outermost one.
    """

    def __init__(self, settings: Settings, gap: Callable[[str], object]) -> None:
        self.mode = str(settings.trace)
        self.gap = gap
        self._seed = settings.seed
        self.window = settings.trace_steps
        self._budget = settings.trace_values * MEBIBYTE
        self._lines = Lines()
        self.digester = self._lines.digester
        self._tracers: dict[str, Tracer] = {}
        self._off = True
        self._operations = False
        self._loss: object = None
        self._file: TraceFile | None = None

    def begin(self, base: str, place: str) -> None:
        """Begin a process's trace: `base` with other endings, in a folder that can be written.

        Args:
            base: path of the report without its ending.
            place: the process's place in the family.
        """
        if self._file is not None:
            self._file.close()  # the parent's
        self._file = TraceFile(base, self._budget, bool(place))
        self._thread = get_ident()
        self._events = self.left_out = self.depth = 0
        self.awaited: Awaiting | None = None
        self._busy = self._off = False
        self._file.write(self._lines.header(self.mode, self.window, place, self._seed))
        self._file.flush()
        self._enter(place)

    def forked(self) -> None:
        """Fall silent in a forked child: the file is the parent's."""
        self._off = True
        self._switch(False)

    def finish(self) -> None:
        """Write the last line: this process has come to its end."""
        if self._off or self._file is None:
            return
        if self.left_out:
            self.gap(f"the trace leaves out {self.left_out} events of other threads")
        self._file.write({"kind": "end", "events": self._events, "left_out": self.left_out})
        self._file.flush()

    def join(self, tracer: Tracer) -> None:
        """Take a library in whose hooks have just been put in place."""
        if tracer.name not in self._tracers:
            self._tracers[tracer.name] = tracer
            if self._operations:
                tracer.operations(self, True)

    def event(self, kind: str, op: str, at: str | None = None, text: str | None = None) -> None:
        """Note what happened that has no result.

        Args:
            kind: as docs/trace.md lists them.
            op: what was called.
            at: `file:line`; None for the author's line that called.
            text: a given value, a place.
        """
        if self._heard() and not (kind in OUTSIDE and importing(sys._getframe(1))):
            line = self._lines.event(kind, self.step, op, at)
            if text is not None:
                line["text"] = text
            self._write(line)

    def take_back(self) -> None:
        """Forget the last event: it was none."""
        if self._heard() and self._file is not None and self._file.take_back():
            self._events -= 1

    def result(
        self,
        kind: str,
        op: str,
        value: object,
        at: str | None = None,
        names: Sequence[str] | None = None,
        rng: bool = False,
    ) -> None:
        """Note a result.

        Args:
            kind: as docs/trace.md lists them.
            op: what was called.
            value: what `Digester.of` takes; the items of a list, tuple or dictionary are digested
                each for itself as well.
            at: `file:line`; None for the author's line that called.
            names: of the items.
            rng: whether to note the states of generators too, where they changed.

        Raises:
            Undigestible: the value holds what has no content to compare.
        """
        # In this order: what other threads do within such a block is part of its result too.
        if self.depth and kind in NESTED:
            return
        awaited = self.awaited
        if awaited is not None and get_ident() != self._thread and awaited.take(kind, op, value):
            return
        if self._heard() and not (kind in OUTSIDE and importing(sys._getframe(1))):
            self._busy = True
            try:
                line = self._lines.event(kind, self.step, op, at)
                self._describe(line, value, names, rng)
            finally:
                self._busy = False
            self._write(line)

    def described(self, kind: str, value: object) -> object:
        """Return what another thread gives the main one for `result`, in the value's place: as
        `Lines.described`."""
        return self._lines.described(kind, value)

    def finished_step(
        self,
        op: str,
        values: Sequence[object],
        names: Sequence[str] | None = None,
        at: str | None = None,
        loss: object = None,
    ) -> None:
        """Note an optimizer's step and count it.

        Args:
            op: what was called, `SGD.step`.
            values: all parameters that it may have changed.
            names: of the parameters, where they have any.
            at: `file:line`; None for the author's line that called.
            loss: the loss where it is known, one number; what `saw_loss` was given otherwise.
        """
        if self.depth or not self._heard():
            return
        self._busy = True
        try:
            line = self._lines.event("step", self.step, op, at)
            self._describe(line, list(values), names, True)
            loss = self._loss if loss is None else loss
            if loss is not None:
                line["loss"] = self._lines.number(loss)
        finally:
            self._busy = False
        self._loss = None
        self._write(line)
        self.step += 1
        if self._file is not None:
            self._file.step()
        self._switch(self._wanted())

    def saw_loss(self, loss: object) -> None:
        """Remember the loss of the step under way, one number, for `finished_step`."""
        if self._heard():
            self._loss = loss

    def nested(self) -> Nested:
        """Return a block in which results of the kinds `NESTED` are part of a larger one."""
        return Nested(self)

    def outside(self) -> Outside:
        """Return a block, within such blocks, in which results count as if outside of them."""
        return Outside(self)

    def awaiting(self, rank: Callable[[], int | None]) -> Awaiting:
        """Return a block in which this thread waits for others that work for it: operations of
        theirs are events as well, noted at the end of the block.

        Args:
            rank: called once in each of them, tells its place among them; None for a thread that
                is not waited for.
        """
        room = -1
        if self._operations and self._budget and self._file is not None:
            room = self._file.room
        return Awaiting(self, self._lines, room, rank)

    def take_in(self, line: dict[str, object], arrays: list[Array]) -> None:
        """Note the line of an operation of another thread, and keep the arrays in its result."""
        self._keep(line, arrays)
        self._write(line)

    def idle(self) -> bool:
        """Tell whether an event would be dropped now: another thread's, or seedlock's own work."""
        return self._off or self._busy or get_ident() != self._thread

    def place(self, path: str) -> None:
        """Note that this process took another place in the family: its counts begin anew, since
        which worker takes which task depends on scheduling."""
        self.event("place", "", "", path)
        if self._heard():
            self._enter(path)

    def _enter(self, path: str) -> None:
        self.step = 0
        self._child = bool(path)
        self._loss = None
        self._states: dict[str, str] = {}
        self._lines.begin()
        self._switch(self._wanted())

    def _heard(self) -> bool:
        if self._off:
            return False
        if get_ident() != self._thread:
            self.left_out += 1
            return False
        return not self._busy  # which says nothing about other threads

    def _wanted(self) -> bool:
        if self.mode != "op":
            return False
        window = self.window or (0, sys.maxsize)
        return window[0] <= self.step < window[1] or (self._child and not self.step)

    def _switch(self, on: bool) -> None:
        if on != self._operations:
            self._operations = on
            for tracer in self._tracers.values():
                tracer.operations(self, on)

    def _describe(
        self, line: dict[str, object], value: object, names: Sequence[str] | None, rng: bool
    ) -> None:
        arrays = self._lines.result(line, value, names)
        if self._budget:
            self._keep(line, arrays)
        if rng:
            states = self._changed_states()
            if states:
                line["rng"] = states

    def _keep(self, line: dict[str, object], arrays: list[Array]) -> None:
        if arrays and self._operations and self._budget and self._file is not None:
            kept = self._file.keep(arrays)
            if kept is not None:
                line["kept"] = kept

    def _changed_states(self) -> dict[str, str]:
        changed = {}
        for name, tracer in self._tracers.items():
            state = tracer.generators()
            if state is not None:
                found = self.digester.of(state)
                if self._states.get(name) != found:
                    changed[name] = self._states[name] = found
        return changed

    def _write(self, line: dict[str, object]) -> None:
        self._events += 1
        if self._file is not None:
            self._file.write(line)
