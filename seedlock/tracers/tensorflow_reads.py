"""Where tf.data's batches are read: in Python, and inside functions that TensorFlow compiles.

There a loop over a data set becomes a scan of tf.data's that calls the loop's body (TF 2.21,
data/ops/dataset_autograph.py), and all else goes through `OwnedIterator`, loops over iterators
and distributed data sets too.
"""

from __future__ import annotations

import sys

from seedlock.callers import author, written
from seedlock.patching import rebind, replace
from seedlock.tracers.tensorflow_functions import content, executing_eagerly, functions
from seedlock.tracers.tensorflow_queue import tensors_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

OP = "tf.data"
"""What batches are read by, in the trace."""

CONVERTED = (
    "code that tf.autograph.to_graph converted goes through a data set: the trace lacks its batches"
)
REPLICAS = (
    "replicas of a strategy read their own batches in a compiled function: the trace lacks them"
)
EMPTY = "what a compiled function reads at {} has no content to compare: the trace lacks it"


class Reads:
    """Hooks at what reads batches, and what is seen of it in a graph that is being made."""

    def __init__(self) -> None:
        self._preparing = 0  # tf.data's own functions that are being made, as those of a map

    def intercept(self, module: Any, trace: Trace) -> None:
        """Put a hook at one of `ENTRANCES`."""
        ENTRANCES[module.__name__](self, module, trace)

    def _hook_iterators(self, module: Any, trace: Trace) -> None:
        def following(plain: Any) -> Any:
            def _next_internal(iterator: Any) -> Any:
                batch = plain(iterator)
                if executing_eagerly():
                    _note(trace, batch)
                elif self._seen(trace):
                    self._put(trace, batch)
                return batch

            return _next_internal

        def perhaps(plain: Any) -> Any:
            def get_next_as_optional(iterator: Any) -> Any:
                optional = plain(iterator)
                if executing_eagerly():
                    optional._seedlock_batch = True
                elif self._seen(trace):
                    tensorflow = sys.modules["tensorflow"]

                    def put() -> Any:
                        self._put(trace, optional.get_value())
                        return tensorflow.no_op()

                    with tensorflow.name_scope("seedlock/"):
                        tensorflow.cond(optional.has_value(), put, tensorflow.no_op)
                return optional

            return get_next_as_optional

        replace(module.OwnedIterator, "_next_internal", following)
        replace(module.OwnedIterator, "get_next_as_optional", perhaps)

    def _hook_optionals(self, module: Any, trace: Trace) -> None:
        def function(plain: Any) -> Any:
            def get_value(optional: Any, name: Any = None) -> Any:
                batch = plain(optional, name)
                if executing_eagerly() and vars(optional).pop("_seedlock_batch", False):
                    _note(trace, batch)
                return batch

            return get_value

        replace(module._OptionalImpl, "get_value", function)

    def _hook_preparing(self, module: Any, _: Trace) -> None:
        # What such a function reads it reads in tf.data's threads, ahead of the program.
        def function(plain: Any) -> Any:
            def initialise(wrapper: Any, /, *args: Any, **kwargs: Any) -> None:
                self._preparing += 1
                try:
                    plain(wrapper, *args, **kwargs)
                finally:
                    self._preparing -= 1

            return initialise

        replace(module.StructuredFunctionWrapper, "__init__", function)

    def _hook_loops(self, module: Any, trace: Trace) -> None:
        original = module.for_stmt

        def function(plain: Any) -> Any:
            def for_stmt(iter_: Any, extra_test: Any, body: Any, *others: Any) -> Any:
                data = sys.modules.get("tensorflow.python.data.ops.dataset_ops")
                if data is None or not isinstance(iter_, data.DatasetV2):
                    return plain(iter_, extra_test, body, *others)
                if executing_eagerly():
                    trace.gap(CONVERTED)
                    return plain(iter_, extra_test, body, *others)
                if not self._seen(trace):
                    return plain(iter_, extra_test, body, *others)

                def seen(batch: Any) -> Any:
                    around, self._preparing = self._preparing, 0
                    try:
                        self._put(trace, batch)
                        return body(batch)
                    finally:
                        self._preparing = around

                return plain(iter_, extra_test, seen, *others)

            return for_stmt

        replace(module, "for_stmt", function)
        rebind("tensorflow", original, module.for_stmt)

    def _hook_saving(self, module: Any, _: Trace) -> None:
        # A SavedModel gets none of our queues: its functions are traced once more.
        def function(plain: Any) -> Any:
            def _list_all_concrete_functions_for_serialization(self_: Any) -> Any:
                found = plain(self_)
                if functions.blind or not functions.reads_batches(self_):
                    return found
                functions.blind = True
                try:
                    other = self_._clone(None)
                    signatures = [each.structured_input_signature for each in found]
                    return [other.get_concrete_function(*one, **two) for one, two in signatures]
                finally:
                    functions.blind = False

            return _list_all_concrete_functions_for_serialization

        replace(module.Function, "_list_all_concrete_functions_for_serialization", function)

    def _seen(self, trace: Trace) -> bool:
        if self._preparing or functions.blind or _keras_reads():
            return False
        if not sys.modules["tensorflow"].compat.v1.executing_eagerly_outside_functions():
            return False  # sessions are not seen
        replica = sys.modules["tensorflow"].distribute.get_replica_context()
        if replica is not None and replica.num_replicas_in_sync > 1:
            trace.gap(REPLICAS)  # which would have to wait for one another
            return False
        return True

    def _put(self, trace: Trace, batch: Any) -> None:
        file, line = written(author(2)[0])
        at = f"{file}:{line}"
        tensors = tensors_in(batch)
        if tensors:
            functions.put(tensors, at)
        else:
            trace.gap(EMPTY.format(at))


def _note(trace: Trace, batch: Any) -> None:
    if functions.running() and not _keras_reads():
        with trace.outside():
            trace.result("batch", OP, content(batch))
    else:
        trace.result("batch", OP, content(batch))


def _keras_reads() -> bool:
    # The batches of fit() and evaluate() have a tracer that knows more of them.
    frame = sys._getframe(2)
    while frame is not None and frame.f_back is not None:
        name = str(frame.f_globals.get("__name__"))
        if not name.startswith(("tensorflow.", "seedlock.")):
            return name.startswith("keras.")
        frame = frame.f_back
    return False


ENTRANCES = {
    "tensorflow.python.data.ops.iterator_ops": Reads._hook_iterators,
    "tensorflow.python.data.ops.optional_ops": Reads._hook_optionals,
    "tensorflow.python.data.ops.structured_function": Reads._hook_preparing,
    "tensorflow.python.autograph.operators.control_flow": Reads._hook_loops,
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": Reads._hook_saving,
}
"""Modules with something to put a hook at, and the method that does."""

reads = Reads()
"""Those of this process."""
