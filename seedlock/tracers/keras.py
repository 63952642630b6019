"""Keras 3: steps of fit() and train_on_batch(), and of optimizers in the author's own loop."""

from __future__ import annotations

import sys

from seedlock.patching import is_replaced, replace
from seedlock.stand_ins import dress, mark
from seedlock.tracers.base import Tracer
from seedlock.tracers.keras_batches import Batches, Outlet, origins
from seedlock.tracers.tensorflow_functions import functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

TRAINERS = {
    "keras.src.backend.tensorflow.trainer": "TensorFlowTrainer",
    "keras.src.backend.jax.trainer": "JAXTrainer",
    "keras.src.backend.torch.trainer": "TorchTrainer",
}
OPTIMIZERS = {
    "keras.src.optimizers.base_optimizer": "BaseOptimizer",
    "keras.src.optimizers.loss_scale_optimizer": "LossScaleOptimizer",
    "keras.src.optimizers.multi_optimizer": "MultiOptimizer",
}
EPOCHS = "keras.src.trainers.epoch_iterator"
"""Modules of Keras 3.15.1, and classes in them."""

GLOBAL_STATE = "keras.src.backend.common.global_state"


class KerasTracer(Tracer):
    """See a model's training through the function that each backend's trainer makes and calls
    once per step, and optimizers where they are called outside of it."""

    name = "keras"
    entrances = (*TRAINERS, *OPTIMIZERS, EPOCHS, GLOBAL_STATE)

    def intercept(self, module: Any, trace: Trace) -> None:
        name = module.__name__
        if name in TRAINERS:
            _hook_trainer(vars(module)[TRAINERS[name]], name.split(".")[3], trace)
        elif name in OPTIMIZERS:
            _hook_optimizer(vars(module)[OPTIMIZERS[name]], trace)
        elif name == EPOCHS:
            _hook_epochs(module.EpochIterator, trace)

    def generators(self) -> object:
        """Return Keras's global seed and the state of the global SeedGenerator. Those of layers
        are variables of their models, and part of each step."""
        state = sys.modules[GLOBAL_STATE]
        generator = state.get_global_attribute("global_seed_generator")
        words = None if generator is None else generator.state.value
        return state.get_global_attribute("global_random_seed"), words


class Steps:
    """A model's train, test or predict function, and notes of what it does.

    Args:
        trace: where to note it.
        model: the model.
        function: what the backend's trainer made.
        name: the model's method that it calls: `train_step`.
        backend: `tensorflow`, `jax` or `torch`.
        outlet: what lets the batches out of a function that TensorFlow compiles.
    """

    def __init__(
        self, trace: Trace, model: Any, function: Any, name: str, backend: str, outlet: Outlet
    ) -> None:
        self._trace = trace
        self._model = model
        self._function = function
        self._op = f"{type(model).__name__}.{name}"
        self._trains = name == "train_step"
        self._backend = backend
        self._outlet = outlet
        self._variables: list[Any] | None = None
        mark(dress(self, function))

    def forget(self) -> None:
        """Ask the model for its variables again: layers may have been added or frozen."""
        self._variables = None

    def __call__(self, *args: Any) -> Any:
        if self._trace.idle():
            result = self._function(*args)
            self._trace.finished_step(self._op, ())  # counted, if another thread's
            self._outlet.note(self._trace, self._op, None)
            return result
        at = origins.of(args[-1])
        args = self._seeing_batches(args, at)
        try:
            with self._trace.nested():
                result = self._function(*args)
        finally:
            self._outlet.note(self._trace, self._op, at)
        # JAX's functions take the variables' values and return new ones: the model's own are
        # stale until the epoch is over.
        logs, state = result if self._backend == "jax" else (result, None)
        if not self._trains:
            self._trace.result("call", self._op, logs)
            return result
        if self._variables is None:
            model = self._model
            self._variables = [*model.trainable_variables, *model.non_trainable_variables]
        variables = self._variables
        values = [each.value for each in variables] if state is None else [*state[0], *state[1]]
        loss = logs.get("loss") if isinstance(logs, dict) else None
        number = isinstance(loss, float) or getattr(loss, "shape", None) == ()
        names = [each.path for each in variables]
        self._trace.finished_step(self._op, values, names, loss=loss if number else None)
        return result

    def _seeing_batches(self, args: Any, at: str | None) -> Any:
        if self._backend == "torch":  # a list with one batch
            self._trace.result("batch", self._op, args[0][0], at)
        elif self._backend == "jax":
            return args[0], Batches(self._trace, args[1], self._op, at)
        elif hasattr(args[0], "gi_frame"):  # of train_on_batch(); else tf.data, or a list of data
            return (Batches(self._trace, args[0], self._op, at),)
        else:
            self._outlet.open(self._trace, self._op, at)
        return args


def _hook_trainer(kind: Any, backend: str, trace: Trace) -> None:
    outlets: list[Outlet] = []  # those of the functions that are being made, the last one inmost

    def making(step: str) -> Any:
        attribute = step.replace("_step", "_function")

        def method(plain: Any) -> Any:
            def make_function(self: Any, *args: Any, **kwargs: Any) -> Any:
                outlets.append(Outlet(step))
                try:
                    result = plain(self, *args, **kwargs)
                finally:
                    outlet = outlets.pop()
                function = getattr(self, attribute)
                if is_replaced(function):
                    function.forget()
                else:
                    steps = Steps(trace, self, function, step, backend, outlet)
                    setattr(self, attribute, steps)
                return result

            return make_function

        return method

    def converting(plain: Any) -> Any:
        def _autoconvert_optionals(self: Any, step_func: Any) -> Any:
            function = plain(self, step_func)
            return outlets[-1].before(function, step_func) if outlets else function

        return _autoconvert_optionals

    for step in ("train_step", "test_step", "predict_step"):
        replace(kind, f"make_{step.replace('_step', '_function')}", making(step))
    replace(kind, "_autoconvert_optionals", converting)


def _hook_optimizer(kind: Any, trace: Trace) -> None:
    def applying(plain: Any) -> Any:
        def apply(self: Any, *args: Any, **kwargs: Any) -> Any:
            if _compiling():
                return plain(self, *args, **kwargs)
            with trace.nested():
                result = plain(self, *args, **kwargs)
            if not _in_stateless_scope():
                variables = self._trainable_variables
                names = [getattr(each, "path", None) or each.name for each in variables]
                values = [getattr(each, "_value", each) for each in variables]
                op = f"{type(self).__name__}.apply"
                if _backend() == "tensorflow":
                    functions.stepped(trace, op, values, names)
                elif not _symbolic(values):
                    trace.finished_step(op, values, names)
            return result

        return apply

    def applying_stateless(plain: Any) -> Any:
        def stateless_apply(self: Any, *args: Any, **kwargs: Any) -> Any:
            if _compiling():
                return plain(self, *args, **kwargs)
            with trace.nested():
                result = plain(self, *args, **kwargs)
            if not _symbolic(result[0]):
                names = [each.path for each in self._trainable_variables]
                op = f"{type(self).__name__}.stateless_apply"
                trace.finished_step(op, result[0], names)
            return result

        return stateless_apply

    replace(kind, "apply", applying)
    replace(kind, "stateless_apply", applying_stateless)


def _hook_epochs(kind: Any, trace: Trace) -> None:
    # On torch the batches come through here, out of a torch DataLoader; `Steps` notes them. The
    # other two backends have a __next__ of their own.
    def function(plain: Any) -> Any:
        def following(self: Any) -> Any:
            with trace.nested():
                step = plain(self)
            origins.remember(step[-1], self._seedlock_origin)
            return step

        return following

    replace(kind, "__next__", function)
    origins.hook(kind)


def _backend() -> str:
    name: str = sys.modules["keras.src.backend.config"].backend()
    return name


def _in_stateless_scope() -> bool:
    scope = sys.modules["keras.src.backend.common.stateless_scope"]
    found: bool = scope.in_stateless_scope()
    return found


def _compiling() -> bool:
    # Dynamo follows Python code into here: this must be all that it meets.
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_compiling()


def _symbolic(values: Any) -> bool:
    jax = sys.modules.get("jax")
    return jax is not None and any(isinstance(each, jax.core.Tracer) for each in values)


tracer = KerasTracer()
