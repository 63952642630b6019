"""Let batches out of compiled functions of TensorFlow, which read them by themselves.

A call back into Python from there would run in a thread of TensorFlow's, among a step's other
operations, and XLA takes none. So the function puts each batch into a queue, in the order in which
it reads them and without a copy, and it is noted when the function has returned.

Neither operation changes a number. An operation without a seed of its own is seeded by a count
of such operations in its graph (TF 2.21, framework/random_seed.py, get_seed), not by the number of
all operations, and a queue draws nothing. What is put in is an element as tf.data gave it, so that
nothing is fused otherwise.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from seedlock.trace import Trace

END = -1
"""Stands in a queue behind the last batch that a call has read."""


class Queue:
    """The batches that one compiled function reads, in order, until they are noted.

    Attributes:
        endless: whether a call may read any number of them.
    """

    def __init__(self) -> None:
        self.endless = False
        self._queue: Any = None
        self._kinds: list[tuple[list[Any], str | None]] = []
        self._described: list[tuple[int, object]] = []
        self._following: Any = None
        self._ended = False

    def put(self, tensors: list[Any], at: str | None = None) -> None:
        """Add to the graph that is being made what puts a batch into the queue.

        Args:
            tensors: the batch, one tensor or more, none of them a resource or variant.
            at: `file:line` that reads it.
        """
        tensorflow = sys.modules["tensorflow"]
        if self._queue is None:
            with tensorflow.init_scope(), tensorflow.device("CPU:0"):
                self._queue = tensorflow.queue.FIFOQueue(-1, (tensorflow.int32, tensorflow.variant))
        self._kinds.append(([each.dtype for each in tensors], at))
        # The author's own operations keep their names.
        with tensorflow.name_scope("seedlock/"), tensorflow.device("CPU:0"):
            held = tensorflow.raw_ops.OptionalFromValue(components=tensors)
            self._queue.enqueue([len(self._kinds) - 1, held])

    def follow(self, trace: Trace) -> None:
        """Take batches out in a thread and keep their digests, until `note` is called: of an
        epoch in one call memory could not hold all."""
        self._following = allocate_lock()
        self._following.acquire()
        self._ended = False
        start_new_thread(self._digest, (trace,))

    def note(self, trace: Trace, op: str, at: str | None = None) -> None:
        """Note the batches that have been read since the last time.

        Args:
            trace: where to note them.
            op: what read them.
            at: `file:line`; None for that of each.
        """
        if self._following is None:
            if self._queue is not None:
                self._described += self._waiting()
        else:
            self._queue.enqueue([END, sys.modules["tensorflow"].raw_ops.OptionalNone()])
            self._following.acquire()
            self._following = None
            if not self._ended:
                list(self._waiting())
                trace.gap("digests of batches could not be made: the trace lacks some of them")
        for number, batch in self._described:
            trace.result("batch", op, batch, at or self._kinds[number][1])
        self._described.clear()

    def _digest(self, trace: Trace) -> None:
        try:
            number, batch = self._next()
            while number != END:
                self._described.append((number, trace.described("batch", batch)))
                number, batch = self._next()
            self._ended = True
        finally:
            self._following.release()

    def _waiting(self) -> Iterator[tuple[int, list[Any]]]:
        for _ in range(int(self._queue.size())):
            yield self._next()

    def _next(self) -> tuple[int, list[Any]]:
        number, held = self._queue.dequeue()
        number = int(number)
        if number == END:
            return END, []
        tensorflow = sys.modules["tensorflow"]
        types = self._kinds[number][0]
        found = tensorflow.raw_ops.OptionalGetValue(
            optional=held,
            output_types=types,
            output_shapes=[tensorflow.TensorShape(None) for _ in types],
        )
        return number, list(found)


def tensors_in(value: Any) -> list[Any]:
    """Return the tensors in a structure that have a content: no resources, no variants, such as
    an Optional or a data set."""
    types = sys.modules["tensorflow.python.framework.dtypes"]
    nest = sys.modules["tensorflow.python.util.nest"]
    return [
        each
        for each in nest.flatten(value, expand_composites=True)
        if hasattr(each, "dtype") and each.dtype not in (types.resource, types.variant)
    ]
