"""How often the lines that take an order from hashes took one, in a window of traced operations.

A trace function (sys.settrace) sees each call of the thread; in code of the author's that takes
orders it sees each line, and on such a line each instruction. That slows Python code by half and
such lines twentyfold, so it is done in a window of operations (REPRO_TRACE=op with
REPRO_TRACE_STEPS) and nowhere else: whole runs of JAX took 4.3 times as long. Where somebody
else sets a trace function, a debugger or coverage, it is theirs: nothing is counted then.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from itertools import count

from seedlock.callers import is_library
from seedlock.hash_order import MOST, Place
from seedlock.order_instructions import KNOWN, Instructions
from seedlock.patching import replace
from seedlock.tracers.base import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from seedlock.trace import Trace

    Seen = tuple[CodeType, Callable[..., Any] | None, frozenset[int | None]]

BOUNDS = "in the main thread and in threads that threading started meanwhile"
ANOTHER = "another trace function was there, as of a debugger or of coverage"


class OrderCounts(Tracer):
    """Count in one process: in the thread that traces, and in threads started meanwhile."""

    name = "orders"
    entrances = ("sys", "threading")

    def __init__(self) -> None:
        self._on = False
        self._begun = False
        self._why_not = "" if KNOWN else "instructions are known of CPython 3.11 only"
        self._setting = 0
        self._files: dict[str, Instructions | None] = {}
        self._unread: set[str] = set()
        self._left = MOST
        self._codes: dict[int, Seen] = {}
        self._counters: dict[tuple[str, Place], count[int]] = {}
        self._window: tuple[int, int] | None = None
        self._threading: Any = None
        self._gettrace = sys.gettrace

    def intercept(self, module: Any, trace: Trace) -> None:
        """Have threads count that begin from now on; `sys` is there at once."""
        if module is not sys:
            self._threading = module
            self._tell_threads()

    def operations(self, trace: Trace, on: bool) -> None:
        """Begin or stop counting."""
        self._window = trace.window
        if on == self._on or (on and self._why_not):
            return
        if on:
            self._begin()
            if self._gettrace() is not None:
                self._why_not = ANOTHER
                return
        self._on = on
        if on or self._gettrace() == self._called:
            self._set(self._called if on else None)
        self._tell_threads()
        # Frames that are under way were called before.
        frame: FrameType | None = sys._getframe() if on else None
        while frame is not None:
            _, local, lines = self._seen(frame.f_code)
            if local is not None:
                frame.f_trace = local
                frame.f_trace_opcodes = frame.f_lineno in lines
            frame = frame.f_back

    def times(self, file: str, place: Place) -> int | None:
        """Return how often a place took an order while it was counted.

        None where that is not known: no code of the file was seen to run, or other code than it
        holds now, or the place's instructions were not found.
        """
        if self._why_not or file not in self._files or file in self._unread:
            return None
        known = self._files[file]
        if known is None or place in known.unknown:
            return None
        counter = self._counters.get((file, place))
        return 0 if counter is None else int(counter.__reduce__()[1][0])

    def account(self) -> str:
        """Return what was counted, or why nothing was."""
        if self._why_not:
            return f"not counted: {self._why_not}"
        assert self._window is not None  # Trace.counts_orders
        return f"in steps {self._window[0]}:{self._window[1]}, {BOUNDS}"

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        called = self._called

        # A program that asks whether it is being debugged goes on as it does without a trace.
        def method(original: Callable[[], Any]) -> Callable[[], Any]:
            def gettrace() -> Any:
                found = original()
                return None if found == called else found

            return gettrace

        replace(sys, "gettrace", method)
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _: object) -> None:
        # CPython too takes a trace function away, where it raised: an interrupt that came in it.
        if event == "sys.settrace" and self._on and self._setting != get_ident():
            starting = sys._getframe(1).f_code.co_name == "_bootstrap_inner"
            if not (starting and self._threading._trace_hook == self._called):
                self._why_not = ANOTHER

    def _set(self, function: Callable[..., Any] | None) -> None:
        self._setting = get_ident()
        try:
            sys.settrace(function)
        finally:
            self._setting = 0

    def _tell_threads(self) -> None:
        module = self._threading
        if module is None or module._trace_hook not in (None, self._called):
            if module is not None and self._on:
                self._why_not = ANOTHER
        else:
            module._trace_hook = self._called if self._on else None

    def _called(self, frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if not self._on:
            return None
        seen = self._codes.get(id(frame.f_code))
        return (self._seen(frame.f_code) if seen is None else seen)[1]

    def _seen(self, code: CodeType) -> Seen:
        seen = self._codes.get(id(code))
        if seen is None:
            # With the code object, whose number another one would get once it is gone.
            seen = self._codes[id(code)] = (code, *self._local(code))
        return seen

    def _local(self, code: CodeType) -> tuple[Callable[..., Any] | None, frozenset[int | None]]:
        file = code.co_filename
        if file not in self._files:
            self._files[file] = self._look(file)
        instructions = self._files[file]
        taking = {} if instructions is None else instructions.of(code)
        if taking is None:
            self._unread.add(file)  # it was edited meanwhile, or rewritten before it ran
        if not taking:
            return None, frozenset()
        counters = {
            offset: [self._counters.setdefault((file, place), count()) for place in places]
            for offset, places in taking.items()
        }
        positions = list(code.co_positions())
        lines = frozenset(positions[offset // 2][0] for offset in taking)

        def local(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
            if event == "opcode":
                for counter in counters.get(frame.f_lasti, ()) if self._on else ():
                    next(counter)  # at once, whichever thread comes next
            elif event == "line":
                frame.f_trace_opcodes = frame.f_lineno in lines
            return local

        return local, lines

    def _look(self, file: str) -> Instructions | None:
        if is_library(file) or not file.endswith(".py"):
            return None
        try:
            with open(file, "rb") as source:
                raw = source.read(self._left + 1)
            if len(raw) <= self._left:
                self._left -= len(raw)
                return Instructions(raw, file)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            pass
        self._unread.add(file)
        return None


tracer = OrderCounts()
