"""What each of MXNet's operators yields, for as long as that is wanted."""

from __future__ import annotations

import ctypes
import re
import sys

from seedlock.callers import author, written
from seedlock.patching import replace
from seedlock.stand_ins import dress, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

REGISTER = "mxnet.ndarray.register"
"""Where the functions that MXNet generates for its operators find `_imperative_invoke`."""

DIRECT = ("zeros", "tensordot")
"""Operators of mx.np that go another way (1.9.1, ndarray/numpy/_op.py and _api_internal.py)."""

EMPTY = ("_empty", "_npi_empty")
"""Operators that yield whatever the memory holds."""

SEEN = re.compile(r"_(out\w*|0|backward_\d+)$")
"""Ends of the names of an operator's outputs that a program can see. Others, workspaces of pooling
and masks of dropout, may hold what the memory held before."""


class Operations:
    """Hooks at all operators that Python calls and, through MXNet's own monitor, at those that run
    inside a hybridised block.

    Args:
        trace: where to write.
        module: mxnet.ndarray, just imported.
    """

    def __init__(self, trace: Trace, module: Any) -> None:
        self._trace = trace
        self._on = False
        self._names: dict[int, str] = {}
        self._register = sys.modules[REGISTER]
        self._original = vars(self._register)["_imperative_invoke"]
        self._replacement = mark(dress(self._invoking(self._original), self._original))
        self._array = module.NDArray
        base = sys.modules["mxnet.base"]
        self._library, self._check = base._LIB, base.check_call
        self._handle = base.NDArrayHandle
        callback = ctypes.CFUNCTYPE(
            None, ctypes.c_char_p, ctypes.c_char_p, base.NDArrayHandle, ctypes.c_void_p
        )
        self._monitor = callback(self._monitored)
        self._at_work = 0
        replace(module.CachedOp, "__call__", self._block)

    def switch(self, on: bool) -> None:
        """Begin or stop."""
        self._on = on
        vars(self._register)["_imperative_invoke"] = self._replacement if on else self._original
        direct = sys.modules.get("mxnet.ndarray.numpy._api_internal")
        for name in DIRECT:
            if direct is not None and on:
                replace(direct, name, self._direct)

    def heard(self) -> bool:
        """Tell whether operators are wanted and this thread's have an order."""
        return self._on and not self._trace.idle()

    def _invoking(self, original: Any) -> Any:
        def _imperative_invoke(handle: int, *args: Any) -> Any:
            found = original(handle, *args)
            if self.heard():
                # Above the function that MXNet generated, whose code is from no file.
                file, line = written(author(3)[0])
                self._note(self._name(handle), found, f"{file}:{line}")
            return found

        return _imperative_invoke

    def _direct(self, original: Any) -> Any:
        def operator(*args: Any) -> Any:
            found = original(*args)
            if self.heard():
                self._note(original.__name__, found)
            return found

        return operator

    def _block(self, original: Any) -> Any:
        def call(operator: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.heard():
                return original(operator, *args, **kwargs)
            if operator._monitor_callback is None:
                # For good: MXNet takes no monitor back.
                operator._monitor_callback = self._monitor
                self._check(
                    self._library.MXCachedOpRegisterOpHook(operator.handle, self._monitor, 0)
                )
            elif operator._monitor_callback is not self._monitor:
                self._trace.gap("a hybridised block has a monitor of the program's: the trace has "
                                "what the block yields, not its operators")  # fmt: skip
            found = original(operator, *args, **kwargs)
            if self._at_work:
                self._at_work = 0
                self._trace.gap("operators of a hybridised block could not be noted")
            self._note("CachedOp", found)
            return found

        return call

    def _monitored(self, node: bytes, name: bytes, handle: int, _: object) -> None:
        array = self._array(ctypes.cast(handle, self._handle), writable=False)  # frees the handle
        output = node.decode()
        if SEEN.search(output) and self.heard():
            self._at_work += 1  # ctypes swallows what is raised here
            self._trace.result("op", name.decode(), [array], None, [output])
            self._at_work -= 1

    def _note(self, name: str, found: Any, at: str | None = None) -> None:
        if name not in EMPTY:
            self._trace.result("op", name, found, at)

    def _name(self, handle: int) -> str:
        name = self._names.get(handle)
        if name is None:
            text = ctypes.c_char_p()
            self._check(
                self._library.MXSymbolGetAtomicSymbolName(
                    ctypes.c_void_p(handle), ctypes.byref(text)
                )
            )
            name = self._names[handle] = (text.value or b"").decode()
        return name
