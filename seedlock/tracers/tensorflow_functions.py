"""Which calls of a tf.function are training steps, and which variables they change.

A compiled function runs without Python, so what it does is noted while it is traced: an
optimizer's update, a gradient, an assignment. Each later call of the same graph does the same.
(TensorFlow 2.21, python/eager/polymorphic_function.)
"""

from __future__ import annotations

import sys
import weakref

from seedlock.patching import replace
from seedlock.tracers.tensorflow_queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from seedlock.trace import Trace

ASSIGNING = ("assign", "assign_add", "assign_sub", "scatter_add", "scatter_sub", "scatter_update")
"""Methods of a variable that training loops write with."""

SCALARS = (bool, int, float, complex, str, bytes, type(None))


class Written:
    """What a function changes.

    Attributes:
        op: method of the optimizer that was called last; None where there was none.
        gradient: whether a gradient was taken.
        queues: what holds the batches that it reads.
    """

    def __init__(self) -> None:
        self.op: str | None = None
        self.gradient = False
        self.queues: list[Queue] = []
        self._variables: dict[int, tuple[weakref.ref[Any], str]] = {}

    def add(self, variable: Any, name: str) -> None:
        """Add a tf.Variable; a name given later replaces one given before."""
        self._variables[id(variable)] = (weakref.ref(variable), name)

    def join(self, other: Written) -> None:
        """Add what another function changes, which this one calls."""
        self.op = other.op or self.op
        self.gradient |= other.gradient
        self._variables.update(other._variables)
        self.queues += [each for each in other.queues if each not in self.queues]

    def is_step(self) -> bool:
        """Tell whether this is training: an optimizer's update, or a gradient and a variable
        of a floating type, open to training, that is assigned to."""
        return self.op is not None or (self.gradient and bool(self._variables))

    def variables(self) -> tuple[list[Any], list[str]]:
        """Return the variables and their names, in the order in which they were first written."""
        alive = [(each(), name) for each, name in self._variables.values()]
        kept = [(each, name) for each, name in alive if each is not None]
        return [each for each, _ in kept], [name for _, name in kept]


class Functions:
    """The call of a tf.function that is under way from outside, and what each graph changes.

    Attributes:
        eagerly: whether functions run operation by operation, for their results to be seen.
        blind: whether batches that a function reads are not to be seen.
    """

    def __init__(self) -> None:
        self.eagerly = self.blind = False
        self._running: Written | None = None
        self._graphs: weakref.WeakKeyDictionary[Any, Written] = weakref.WeakKeyDictionary()

    def running(self) -> bool:
        """Tell whether a function that was called from outside is under way."""
        return self._running is not None

    def intercept(self, module: Any, trace: Trace) -> None:
        """Put a hook at one of `ENTRANCES`."""
        ENTRANCES[module.__name__](self, module, trace)

    def stepped(self, trace: Trace, op: str, variables: Iterable[Any], names: list[str]) -> None:
        """Note an optimizer's update of tf.Variables: with the function that it is part of, or
        at once where it is part of none."""
        places = self._places(trace)
        if not places:
            trace.finished_step(op, list(variables), names)
        pairs = list(zip(variables, names, strict=True))
        for place in places:
            place.op = op
            for variable, name in pairs:
                place.add(variable, name)

    def put(self, tensors: list[Any], at: str) -> None:
        """Let a batch out of the graph that is being made.

        Args:
            tensors: the batch, as `Queue.put` takes it.
            at: `file:line` that reads it.
        """
        around = [self._graphs.setdefault(each, Written()) for each in _graphs()]
        if not around[-1].queues:
            around[-1].queues.append(Queue())
        queue = around[-1].queues[0]
        queue.endless |= len(around) > 1  # a loop's body has a graph of its own
        for place in around:
            if queue not in place.queues:
                place.queues.append(queue)
        queue.put(tensors, at)

    def reads_batches(self, function: Any) -> bool:
        """Tell whether a tf.function has a graph out of which batches are let."""
        graphs = [each._func_graph for each in function._list_all_concrete_functions()]
        return any(self._graphs[each].queues for each in graphs if each in self._graphs)

    def _places(self, trace: Trace) -> list[Written]:
        # A function inside another may be called without that one later, or by a third.
        if executing_eagerly():
            return [] if trace.idle() or self._running is None else [self._running]
        return [self._graphs.setdefault(each, Written()) for each in _graphs()]

    def _hook_calls(self, module: Any, trace: Trace) -> None:
        setting = module.Function._run_functions_eagerly

        def function(plain: Any) -> Any:
            def run(self_: Any, /, *args: Any, **kwargs: Any) -> Any:
                # A function out of a SavedModel has no Python to run, and its own setting.
                if self.eagerly and type(self_)._run_functions_eagerly is setting:
                    args = tuple([_as_traced(each) for each in args])
                    kwargs = {name: _as_traced(each) for name, each in kwargs.items()}
                    return self_._python_function(*args, **kwargs)
                return plain(self_, *args, **kwargs)

            def called(self_: Any, /, *args: Any, **kwargs: Any) -> Any:
                if not executing_eagerly():
                    inner = (
                        self_._clone(None) if self.blind and self.reads_batches(self_) else self_
                    )
                    return plain(inner, *args, **kwargs)
                if trace.idle():
                    result = plain(self_, *args, **kwargs)
                    trace.result("call", self_._name, None)  # counted, if another thread's
                    return result
                if self._running is not None:
                    return run(self_, *args, **kwargs)
                written = self._running = Written()
                try:
                    with trace.nested():
                        result = run(self_, *args, **kwargs)
                finally:
                    self._running = None
                _note(trace, self_._name, written, result)
                return result

            return called

        replace(module.Function, "__call__", function)

    def _hook_graphs(self, module: Any, trace: Trace) -> None:
        def function(plain: Any) -> Any:
            def _call_flat(self_: Any, /, *args: Any, **kwargs: Any) -> Any:
                written = self._graphs.get(self_._func_graph)
                if written is None:
                    return plain(self_, *args, **kwargs)
                for place in self._places(trace):
                    if place is not written:
                        place.join(written)
                if not written.queues or not executing_eagerly():
                    return plain(self_, *args, **kwargs)
                queues = list(written.queues)
                for queue in queues:
                    if queue.endless or self.eagerly:  # as operations only this thread's are seen
                        queue.follow(trace)
                try:
                    return plain(self_, *args, **kwargs)
                finally:
                    with trace.outside():
                        for queue in queues:
                            queue.note(trace, "tf.data")

            return _call_flat

        replace(module.ConcreteFunction, "_call_flat", function)

    def _hook_gradients(self, module: Any, trace: Trace) -> None:
        def function(plain: Any) -> Any:
            def gradient(self_: Any, /, *args: Any, **kwargs: Any) -> Any:
                for place in self._places(trace):
                    place.gradient = True
                return plain(self_, *args, **kwargs)

            return gradient

        replace(module.GradientTape, "gradient", function)

    def _hook_variables(self, module: Any, trace: Trace) -> None:
        def function(plain: Any) -> Any:
            def assigning(self_: Any, /, *args: Any, **kwargs: Any) -> Any:
                if self_.trainable and self_.dtype.is_floating:
                    for place in self._places(trace):
                        place.add(self_, _name(self_))
                return plain(self_, *args, **kwargs)

            return assigning

        for name in ASSIGNING:
            replace(module.BaseResourceVariable, name, function)

    def _hook_optimizers(self, module: Any, trace: Trace) -> None:
        # tf.compat.v1.train.*; Keras 3 has optimizers of its own.
        def function(plain: Any) -> Any:
            def apply_gradients(self_: Any, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
                pairs = list(grads_and_vars)
                with trace.nested():
                    result = plain(self_, pairs, *args, **kwargs)
                found = [variable for gradient, variable in pairs if gradient is not None]
                op = f"{type(self_).__name__}.apply_gradients"
                self.stepped(trace, op, found, [_name(each) for each in found])
                return result

            return apply_gradients

        replace(module.Optimizer, "apply_gradients", function)


def executing_eagerly() -> bool:
    """Tell whether operations run now, and are not put into a graph."""
    found: bool = sys.modules["tensorflow.python.eager.context"].executing_eagerly()
    return found


def _graphs() -> Iterator[Any]:
    # The graph that operations are put into, and those around it.
    graph = sys.modules["tensorflow.python.framework.ops"].get_default_graph()
    while True:
        yield graph
        graph = getattr(graph, "outer_graph", None)
        if not hasattr(graph, "outer_graph"):
            return


def content(value: Any) -> Any:
    """Return what of a structure has a content to compare: tensors but resources and variants,
    and scalars."""
    types = sys.modules["tensorflow.python.framework.dtypes"]
    opaque = (types.resource, types.variant)
    flat = sys.modules["tensorflow.python.util.nest"].flatten(value, expand_composites=True)
    kept = [
        each for each in flat
        if (each.dtype not in opaque if hasattr(each, "dtype") else isinstance(each, SCALARS))
    ]  # fmt: skip
    return value if len(kept) == len(flat) else kept


def _as_traced(value: Any) -> Any:
    # Tracing gives the function a tensor for each NumPy array.
    if isinstance(value, sys.modules["numpy"].ndarray):
        return sys.modules["tensorflow"].convert_to_tensor(value)
    return value


def _note(trace: Trace, name: str, written: Written, result: Any) -> None:
    if written.is_step():
        variables, names = written.variables()
        loss: Any = result.get("loss") if isinstance(result, dict) else result
        number = getattr(loss, "shape", None) == () and getattr(loss.dtype, "is_floating", False)
        trace.finished_step(written.op or name, variables, names, loss=loss if number else None)
    else:
        trace.result("call", name, content(result))


def _name(variable: Any) -> str:
    return str(variable.name).partition(":")[0]


ENTRANCES = {
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": Functions._hook_calls,
    "tensorflow.python.eager.polymorphic_function.concrete_function": Functions._hook_graphs,
    "tensorflow.python.eager.backprop": Functions._hook_gradients,
    "tensorflow.python.ops.resource_variable_ops": Functions._hook_variables,
    "tensorflow.python.training.optimizer": Functions._hook_optimizers,
}
"""Modules with something to put a hook at, and the method that does."""

functions = Functions()
"""Those of this process: TensorFlow's tracer and Keras's share them."""
