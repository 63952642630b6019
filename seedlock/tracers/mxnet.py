"""Apache MXNet 1.9.1: what trainers, modules and data iterators do.

Each generated operator of Python, of mx.nd and mx.np alike, goes through one function, and each
hybridised block through its CachedOp: see mxnet_operations.py.
"""

from __future__ import annotations

from seedlock.errors import Undigestible
from seedlock.patching import replace
from seedlock.tracers.base import Tracer
from seedlock.tracers.mxnet_operations import Operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from seedlock.trace import Trace

FORWARD = (
    "the operators of a bound symbol run in C++: the trace has what "
    "mxnet.executor.Executor.forward yields, not each of them"
)


class MxnetTracer(Tracer):
    """Note batches, steps and losses; at mode `op` what each operator yields, and the gradients
    that a trainer uses: most operators of the backward pass run where no hook reaches.

    The state of MXNet's generators is not read: that waits for all that is being computed.
    """

    name = "mxnet"
    entrances = (
        "mxnet.ndarray",
        "mxnet.autograd",
        "mxnet.executor",
        "mxnet.io.io",
        "mxnet.image.image",
        "mxnet.image.detection",
        "mxnet.gluon.trainer",
        "mxnet.gluon.data.dataloader",
        "mxnet.module.module",
    )

    def __init__(self) -> None:
        self._operations: Operations | None = None

    def intercept(self, module: Any, trace: Trace) -> None:
        self._trace = trace
        name = module.__name__.removeprefix("mxnet.")
        if name == "ndarray":
            self._operations = Operations(trace, module)
            replace(module.NDArray, "backward", self._backward)
        elif name == "autograd":
            replace(module, "backward", self._backward)
        elif name == "executor":
            replace(module.Executor, "forward", self._forward)
        elif name == "gluon.trainer":
            replace(module.Trainer, "step", self._trainer)
            replace(module.Trainer, "update", self._trainer)
        elif name == "module.module":
            replace(module.Module, "update", self._module)
        elif name == "gluon.data.dataloader":
            replace(module.DataLoader, "__iter__", self._loader)
            replace(module.DataLoaderV1, "__iter__", self._loader)
        else:
            self._iterators(module)

    def operations(self, trace: Trace, on: bool) -> None:
        if self._operations is not None:
            self._operations.switch(on)

    def _iterators(self, module: Any) -> None:
        for each in list(vars(module).values()):
            if isinstance(each, type) and each.__module__ == module.__name__:
                for method in ("next", "__next__"):
                    replace(each, method, self._iterator)
        if hasattr(module, "MXDataIter"):  # reads a batch ahead to learn the shapes
            replace(module.MXDataIter, "__init__", self._silent)

    def _silent(self, original: Any) -> Any:
        def init(iterator: Any, *args: Any, **kwargs: Any) -> None:
            with self._trace.nested():
                original(iterator, *args, **kwargs)

        return init

    def _iterator(self, original: Any) -> Any:
        def read(iterator: Any) -> Any:
            if self._trace.idle():  # a thread that reads ahead: its reader has the batch too
                return original(iterator)
            with self._trace.nested():
                batch = original(iterator)
            if hasattr(batch, "label"):
                self._batch(iterator, [*(batch.data or []), *(batch.label or [])])
            else:
                self._batch(iterator, batch)
            return batch

        return read

    def _loader(self, original: Any) -> Any:
        def batches(loader: Any) -> Iterator[Any]:
            for batch in original(loader):
                self._batch(loader, batch)
                yield batch

        return batches

    def _batch(self, loader: Any, batch: Any) -> None:
        name = type(loader).__name__
        try:
            self._trace.result("batch", name, batch)
        except Undigestible as problem:
            self._trace.gap(f"batches of {name} are not in the trace: {problem}")

    def _backward(self, original: Any) -> Any:
        def backward(heads: Any, *args: Any, **kwargs: Any) -> None:
            original(heads, *args, **kwargs)
            listed = list(heads) if isinstance(heads, (list, tuple)) else [heads]
            if len(listed) == 1 and listed[0].size == 1:
                self._trace.saw_loss(listed[0].detach())  # without what it was made of

        return backward

    def _forward(self, original: Any) -> Any:
        def forward(executor: Any, *args: Any, **kwargs: Any) -> Any:
            outputs = original(executor, *args, **kwargs)
            if self._operations is not None and self._operations.heard():
                self._trace.gap(FORWARD)
                self._trace.result("op", "Executor.forward", list(outputs))
            return outputs

        return forward

    def _trainer(self, original: Any) -> Any:
        name = f"Trainer.{original.__name__}"

        def step(trainer: Any, *args: Any, **kwargs: Any) -> None:
            if self._operations is not None and self._operations.heard():
                found = _by_name(trainer._params, "_grad")
                self._trace.result("op", "gradients", found)
            with self._trace.nested():
                original(trainer, *args, **kwargs)
            found = _by_name(trainer._params, "_data")
            self._trace.finished_step(name, list(found.values()), list(found))

        return step

    def _module(self, original: Any) -> Any:
        def update(module: Any) -> None:
            with self._trace.nested():
                original(module)
            group = module._exec_group
            names, values = [], []
            for name, arrays in zip(group.param_names, group.param_arrays, strict=True):
                names += _numbered(name, arrays)
                values += arrays
            self._trace.finished_step("Module.update", values, names)

        return update


def _by_name(parameters: Any, held: str) -> dict[str, Any]:
    # The lists themselves: list_data() refuses sparse parameters, and those of deferred shape.
    found: dict[str, Any] = {}
    for parameter in parameters:
        arrays = getattr(parameter, held) or []
        found.update(zip(_numbered(parameter.name, arrays), arrays, strict=True))
    return found


def _numbered(name: str, arrays: Any) -> list[str]:
    """Return a name for a parameter's array on each device."""
    return [name] if len(arrays) == 1 else [f"{name}@{at}" for at in range(len(arrays))]


tracer = MxnetTracer()
