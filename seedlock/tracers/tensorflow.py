"""TensorFlow: calls of tf.functions and steps in them, tf.data, operations, eager generators."""

from __future__ import annotations

import os
import sys
from array import array

from seedlock.tracers import tensorflow_reads
from seedlock.tracers.base import Tracer
from seedlock.tracers.tensorflow_functions import ENTRANCES, functions
from seedlock.tracers.tensorflow_reads import reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

CONTEXT = "tensorflow.python.eager.context"
GENERATORS = "tensorflow.python.ops.stateful_random_ops"

SILENT = frozenset(("Empty", "Identity", "IdentityN", "ReadVariableOp"))
"""Operations that compute nothing: what is in memory before something is written there, and what
has been noted as another's result."""


class TensorflowTracer(Tracer):
    """See TensorFlow through its own callbacks for operations (framework/op_callbacks.py), and run
    tf.functions eagerly as long as these are wanted."""

    name = "tensorflow"
    entrances = tuple({CONTEXT: 0, **tensorflow_reads.ENTRANCES, **ENTRANCES, "tensorflow": 0})

    def __init__(self) -> None:
        self._process = os.getpid()
        self._wanted = self._ready = False
        self._callback: Any = None

    def intercept(self, module: Any, trace: Trace) -> None:
        name = module.__name__
        if name in ENTRANCES:
            functions.intercept(module, trace)
        if name in tensorflow_reads.ENTRANCES:
            reads.intercept(module, trace)
        if name == "tensorflow":
            self._ready = True
            self._switch(trace)

    def generators(self) -> object:
        """Return the words of the context's random.Random, from which eager operations draw
        their seeds, and the state of the global tf.random.Generator."""
        context = sys.modules[CONTEXT]._context
        if context is None:
            return None
        words: Any = None
        if getattr(context, "_rng", None) is not None:  # made with the first global seed
            _, numbers, second = context._rng.getstate()
            words = array("L", numbers).tobytes(), second
        module = sys.modules.get(GENERATORS)
        generator = None if module is None else module.global_generator
        if generator is None or os.getpid() != self._process:  # the parent's run-time
            return words, None
        return words, generator.state

    def operations(self, trace: Trace, on: bool) -> None:
        """Note operations from the moment when TensorFlow is imported."""
        self._wanted = on
        self._switch(trace)

    def _switch(self, trace: Trace) -> None:
        on = self._wanted and self._ready
        if on == (self._callback is not None):
            return
        callbacks = sys.modules["tensorflow.python.framework.op_callbacks"]
        functions.eagerly = on
        if on:
            self._callback = _noting(trace)
            callbacks.add_op_callback(self._callback)
        else:
            callbacks.remove_op_callback(self._callback)
            self._callback = None


def _noting(trace: Trace) -> Any:
    types = sys.modules["tensorflow.python.framework.dtypes"]
    opaque = (types.resource, types.variant)

    # op_callbacks.py: the type, inputs, attributes and outputs, then an operation's name and graph.
    def note(op: str | bytes, *others: Any, graph: Any = None, **_: Any) -> Any:
        outputs = others[2]
        if graph is None:  # else it was put into a graph
            name = _plain(op)
            kept = [each for each in outputs if each.dtype not in opaque]
            if kept and name not in SILENT:
                trace.result("op", name, kept[0] if len(kept) == 1 else kept)
        return outputs

    return note


def _plain(op: str | bytes) -> str:
    op = op.decode() if isinstance(op, bytes) else op  # of operations without a fast path
    # `__inference_NAME_123`: a graph, with a number that counts all graphs of the process.
    if op.startswith("__"):
        return op.strip("_").partition("_")[2].rpartition("_")[0]
    return op


tracer = TensorflowTracer()
