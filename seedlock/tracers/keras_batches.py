"""Batches that Keras reads: from an iterator in Python, or inside a function that TensorFlow
compiled; and the author's line that they come from.
"""

from __future__ import annotations

import opcode
import sys
import weakref
from types import GeneratorType

from seedlock.callers import is_library
from seedlock.patching import replace
from seedlock.tracers.tensorflow_functions import executing_eagerly, functions
from seedlock.tracers.tensorflow_queue import Queue, tensors_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

    from seedlock.trace import Trace

_YIELD = opcode.opmap["YIELD_VALUE"]


class Batches:
    """An iterator over batches that a train function reads, and notes of each.

    Args:
        trace: where to note it.
        iterator: yields batches.
        op: the function.
        at: `file:line` that makes the batches; None for the author's line that called.
    """

    def __init__(self, trace: Trace, iterator: Any, op: str, at: str | None) -> None:
        self._trace = trace
        self._iterator = iterator
        self._op = op
        self._at = at

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Any:
        batch = next(self._iterator)  # Keras may read from a tf.data or a torch DataLoader
        with self._trace.outside():
            self._trace.result("batch", self._op, batch, self._at)
        return batch


class Outlet:
    """Lets batches out of a train or test function that TensorFlow compiled (`Queue`).

    The queue stands around the step and not in it: XLA, which may compile the step, takes none.

    Args:
        name: the model's method that the function calls: `train_step`.
    """

    def __init__(self, name: str) -> None:
        self._needed = name != "predict_step"  # predict() reads in Python
        self._queue = Queue()
        self._reader: tuple[Trace, str, str | None] | None = None

    def before(self, function: Any, step: Any) -> Any:
        """Return a function that sees its argument, a batch, before it calls another.

        Args:
            function: what to call.
            step: the step itself; in a graph its batches are seen if it has one of its own.
        """
        compiled = hasattr(step, "get_concrete_function")
        if not self._needed:
            return function

        def read(data: Any) -> Any:
            if executing_eagerly():
                self._note_now(data)
            elif compiled:
                self._queue.put(tensors_in(data))
            return function(data)

        return read

    def open(self, trace: Trace, op: str, at: str | None) -> None:
        """Note batches, until `note` is called, at once where the function runs eagerly.

        Args:
            trace: where to note them.
            op: the function.
            at: `file:line` that makes the batches; None for the author's line that called.
        """
        self._reader = trace, op, at

    def note(self, trace: Trace, op: str, at: str | None) -> None:
        """Note the batches that a compiled function has read since the last time, as `open`."""
        self._reader = None
        if not functions.eagerly:  # else taking them out would be an operation of the author's
            self._queue.note(trace, op, at)

    def _note_now(self, data: Any) -> None:
        if self._reader is not None:
            trace, op, at = self._reader
            with trace.outside():
                trace.result("batch", op, tensors_in(data), at)


class Origins:
    """The author's lines that Keras's batches come from.

    A generator runs ahead, in a thread of tf.data's, and what is done there has no order in the
    trace. So its batches stand at its own line and not at that of fit().
    """

    def __init__(self) -> None:
        self._lines: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._last: tuple[Any, str] | None = None

    def hook(self, kind: Any) -> None:
        """Put hooks at Keras's EpochIterator, which makes what the steps read."""

        def making(plain: Any) -> Any:
            def initialise(epochs: Any, x: Any, *args: Any, **kwargs: Any) -> None:
                plain(epochs, x, *args, **kwargs)
                epochs._seedlock_origin = _origin(x)

            return initialise

        def going_through(plain: Any) -> Any:
            def _enumerate_iterator(epochs: Any) -> Iterator[Any]:
                for step in plain(epochs):
                    self.remember(step[-1], epochs._seedlock_origin)
                    yield step

            return _enumerate_iterator

        replace(kind, "__init__", making)
        replace(kind, "_enumerate_iterator", going_through)

    def remember(self, source: Any, line: str | None) -> None:
        """Remember the line behind what a step will be given, an iterator or a list."""
        if line is not None:
            try:
                self._lines[source] = line
            except TypeError:  # a list, with the batch in it
                self._last = source, line

    def of(self, source: Any) -> str | None:
        """Return `file:line` for the batches in what a step is given; None where that of the
        author's call is all that is known."""
        last, self._last = self._last, None
        if last is not None and last[0] is source:
            return last[1]
        return None if type(source) is list else self._lines.get(source)


def _origin(source: Any) -> str | None:
    if isinstance(source, GeneratorType):
        return _line(source.gi_code, yields=True)
    keras = sys.modules["keras.src.trainers.data_adapters.py_dataset_adapter"]
    if isinstance(source, keras.PyDataset):
        return _line(getattr(type(source).__getitem__, "__code__", None))
    return None


def _line(code: CodeType | None, yields: bool = False) -> str | None:
    if code is None or is_library(code.co_filename):
        return None
    lines = {
        line
        for start, end, line in code.co_lines()
        if line is not None and _YIELD in code.co_code[start:end:2]
    }
    line = lines.pop() if yields and len(lines) == 1 else code.co_firstlineno
    return f"{code.co_filename}:{line}"


origins = Origins()
"""Those of this process."""
