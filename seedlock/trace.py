"""The trace of one process: what happened in which order, with a digest of every result.

docs/trace.md has the format. Lines go to disk as they come, so that memory stays flat, and hold
nothing that may differ between two runs that do the same: no time, no process id, no address.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from _thread import get_ident

from seedlock.callers import author, shown, written
from seedlock.digest import Digester

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from seedlock.digest import Array
    from seedlock.settings import Settings
    from seedlock.tracers.base import Tracer

SCHEMA = 1
"""Version of the trace's format (docs/trace.md)."""

FLUSH_BYTES = 1 << 16
FLUSH_SECONDS = 0.5
"""When lines go to disk: so many bytes of them, or at the first step after so much time, for
whoever watches a run."""

MEBIBYTE = 1 << 20

NESTED = ("batch", "step", "call", "fit")
"""Kinds of results of which only the outermost counts: a compiled training function holds the
optimizer's step, a pipeline's fit that of its estimators."""

SEVERAL = (*NESTED, "checkpoint", "op")
"""Kinds of results whose items are digested each for itself as well."""

_chunks: Callable[[object, int], tuple[str, ...]] = vars(json.encoder)["c_make_encoder"](
    None, None, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)
"""What `json.dumps` makes anew for each object, which takes longer than to use it."""
_FORMATS = {"float64": "<d", "float32": "<f", "float16": "<e"}


class Trace:
    """The events of one process.

    Attributes:
        mode: `step` or `op`.
        step: number of optimizer steps finished so far.
        left_out: number of events of other threads than the one that began, which have no order.
        digester: what makes the digests.
        gap: notes once, in the report, what the trace lacks.
    """

    def __init__(self, settings: Settings, gap: Callable[[str], None]) -> None:
        self.mode = str(settings.trace)
        self.digester = Digester()
        self.gap = gap
        self._seed = settings.seed
        self._window = settings.trace_steps
        self._budget = settings.trace_values * MEBIBYTE
        self._tracers: dict[str, Tracer] = {}
        self._off = True
        self._file = self._values = -1
        self._cwd = os.path.join(os.getcwd(), "")
        self._places: dict[str, str] = {}

    def begin(self, base: str, place: str) -> None:
        """Begin a process's trace: `base` with other endings, in a folder that can be written.

        Args:
            base: path of the report without its ending.
            place: the process's place in the family.
        """
        for descriptor in (self._file, self._values):
            if descriptor != -1:
                os.close(descriptor)  # the parent's, inherited
        self._base = base
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(f"{base}.trace.jsonl", flags, 0o644)
        self._values = -1
        self._kept = 0
        self._named: set[tuple[str, str]] = set()
        self._states: dict[str, str] = {}
        self._lines: list[str] = []
        self._size = 0
        self._flushed = time.monotonic()
        self._events = self.left_out = self.step = 0
        self._thread = get_ident()
        self._depth = 0
        self._busy = self._off = False
        self._child = bool(place)
        self._loss: Any = None
        self._operations = self._wanted()
        self._line(
            {
                "kind": "trace",
                "schema": SCHEMA,
                "mode": self.mode,
                "algorithm": self.digester.algorithm,
                "steps": self._window,
                "place": place,
                "cwd": self._cwd.rstrip(os.sep),
                "seed": self._seed,
            }
        )
        self.flush()
        for tracer in self._tracers.values():
            tracer.operations(self, self._operations)

    def forked(self) -> None:
        """Fall silent in a forked child: the file is the parent's."""
        self._off = True
        for tracer in self._tracers.values():
            tracer.operations(self, False)

    def finish(self) -> None:
        """Write the last line: this process has come to its end."""
        if self._off:
            return
        if self.left_out:
            self.gap(f"the trace leaves out {self.left_out} events of other threads")
        self._line({"kind": "end", "events": self._events, "left_out": self.left_out})
        self.flush()

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
        if self._heard():
            line: dict[str, object] = {"kind": kind, "step": self.step, "op": op}
            line["at"] = self._site() if at is None else self._near(at)
            if text is not None:
                line["text"] = text
            self._note(line)

    def take_back(self) -> None:
        """Forget the last event: it was none."""
        if self._heard() and self._lines:
            self._size -= len(self._lines.pop())
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
            names: of the items, for the kinds in `SEVERAL`.
            rng: whether to note the states of generators too, where they changed.

        Raises:
            Undigestible: the value holds what has no content to compare.
        """
        # In this order: what other threads do within such a block is part of its result too.
        if not (self._depth and kind in NESTED) and self._heard():
            self._busy = True
            try:
                self._note(self._described(kind, op, value, at, names, rng))
            finally:
                self._busy = False

    def finished_step(
        self, op: str, values: Sequence[object], names: Sequence[str] | None = None,
        at: str | None = None, loss: object = None,
    ) -> None:  # fmt: skip
        """Note an optimizer's step and count it.

        Args:
            op: what was called, `SGD.step`.
            values: all parameters that it may have changed.
            names: of the parameters, where they have any.
            at: `file:line`; None for the author's line that called.
            loss: the loss where it is known, one number; what `saw_loss` was given otherwise.
        """
        if self._depth or not self._heard():
            return
        self._busy = True
        try:
            line = self._described("step", op, list(values), at, names, True)
            loss, self._loss = self._loss if loss is None else loss, None
            if loss is not None:
                found: list[Array] = []
                self.digester.of(loss, found)
                line["loss"] = loss.hex() if isinstance(loss, float) else _scalar(found)
        finally:
            self._busy = False
        self._note(line)
        self.step += 1
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()
        self._switch()

    def saw_loss(self, loss: object) -> None:
        """Remember the loss of the step under way, one number, for `finished_step`."""
        if self._heard():
            self._loss = loss

    def nested(self) -> Nested:
        """Return a block in which results of the kinds `NESTED` are part of a larger one."""
        return Nested(self)

    def idle(self) -> bool:
        """Tell whether an event would be dropped now: another thread's, or seedlock's own work."""
        return self._off or self._busy or get_ident() != self._thread

    def place(self, path: str) -> None:
        """Note that this process took another place in the family: its counts begin anew, since
        which worker takes which task depends on scheduling."""
        self.event("place", "", "", path)
        if self._heard():
            self.step = 0
            self._child = bool(path)
            self._named.clear()
            self._states.clear()
            self._switch()

    def flush(self) -> None:
        """Write the lines that wait."""
        data = memoryview("".join(self._lines).encode())
        self._lines.clear()
        self._size = 0
        self._flushed = time.monotonic()
        while data:
            data = data[os.write(self._file, data) :]

    def _heard(self) -> bool:
        if self._off or self._busy:
            return False
        if get_ident() != self._thread:
            self.left_out += 1
            return False
        return True

    def _switch(self) -> None:
        if self._wanted() != self._operations:
            self._operations = not self._operations
            for tracer in self._tracers.values():
                tracer.operations(self, self._operations)

    def _wanted(self) -> bool:
        if self.mode != "op":
            return False
        return (
            self._window is None
            or self._window[0] <= self.step < self._window[1]
            or (self._child and not self.step)
        )

    def _described(
        self, kind: str, op: str, value: Any, at: str | None, names: Sequence[str] | None, rng: bool
    ) -> dict[str, object]:
        line: dict[str, object] = {"kind": kind, "step": self.step, "op": op}
        line["at"] = self._site() if at is None else self._near(at)
        arrays: list[Array] = []
        items = _items(value) if kind in SEVERAL else None
        if items is None:
            line["digest"] = self.digester.of(value, arrays)
        else:
            digests = [self.digester.of(item, arrays) for item in items]
            line["digest"] = self.digester.of_bytes("".join(digests).encode())
            line["parts"] = " ".join([each[:8] for each in digests])
            if names is None and isinstance(value, dict):
                names = [str(name) for name in value]
            if names is not None and (op, key := " ".join(names)) not in self._named:
                self._named.add((op, key))
                line["names"] = list(names)
        if arrays:
            line["what"] = " ".join([str(each) for each in arrays])
            text = _scalar(arrays)
            if text is not None:
                line["text"] = text
            if self._budget and self._wanted():
                self._keep(line, arrays)
        elif kind in SEVERAL and isinstance(value, (int, float, str)):
            line["text"] = value.hex() if isinstance(value, float) else shown(value)
        if rng:
            states = self._changed_states()
            if states:
                line["rng"] = states
        return line

    def _keep(self, line: dict[str, object], arrays: list[Array]) -> None:
        if self._kept + sum(len(each.data) for each in arrays) > self._budget:
            return
        if self._values == -1:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._values = os.open(f"{self._base}.values", flags, 0o644)
        kept = []
        for each in arrays:
            kept.append([self._kept, len(each.data)])
            data = memoryview(each.data)
            while data:
                data = data[os.write(self._values, data) :]
            self._kept += len(each.data)
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

    def _note(self, line: dict[str, object]) -> None:
        self._events += 1
        self._line(line)

    def _line(self, line: dict[str, object]) -> None:
        text = "".join(_chunks(line, 0)) + "\n"
        self._lines.append(text)
        self._size += len(text)
        if self._size > FLUSH_BYTES:
            self.flush()

    def _site(self) -> str:
        frame, _ = author(3)
        file, line = written(frame)
        return f"{self._short(file)}:{line}"

    def _near(self, at: str) -> str:
        file, colon, line = at.rpartition(":")
        return f"{self._short(file)}{colon}{line}"

    def _short(self, file: str) -> str:
        short = self._places.get(file)
        if short is None:
            short = self._places[file] = file.removeprefix(self._cwd)
        return short


class Nested:
    """A block of `Trace.nested`. Its value tells whether it is the outermost one."""

    __slots__ = ("_trace",)

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __enter__(self) -> bool:
        if self._trace.idle():
            return False
        self._trace._depth += 1
        return self._trace._depth == 1

    def __exit__(self, *problem: object) -> None:
        if not self._trace.idle() and self._trace._depth:  # 0 in a child forked in the block
            self._trace._depth -= 1


def _items(value: Any) -> Any:
    if type(value) in (list, tuple):
        return value
    return value.values() if type(value) is dict else None


def _scalar(arrays: list[Array]) -> str | None:
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


def install(trace: Trace, wait: Callable[[str, Callable[[Any], None]], None]) -> None:
    """Wait for the libraries that can be traced.

    Args:
        trace: where to write.
        wait: calls back with a module once that is imported, at once if it is.
    """
    from seedlock.registry import TRACERS

    for name in TRACERS:
        __import__(f"seedlock.tracers.{name}")
        tracer: Tracer = sys.modules[f"seedlock.tracers.{name}"].tracer
        for entrance in tracer.entrances:
            wait(entrance, _hook(tracer, trace))


def _hook(tracer: Tracer, trace: Trace) -> Callable[[Any], None]:
    def hook(module: Any) -> None:
        tracer.intercept(module, trace)
        trace.join(tracer)

    return hook
