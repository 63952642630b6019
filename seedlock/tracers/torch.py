"""PyTorch: optimizer steps, losses, batches, and its operations one by one."""

from __future__ import annotations

import sys

from seedlock.errors import Undigestible
from seedlock.patching import replace
from seedlock.tracers.base import Tracer
from seedlock.tracers.torch_operations import Operations, is_fake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from seedlock.trace import Trace

COMPILED = "torch.compile made code: the trace holds what that code calls, not what it fuses"
"""What a trace at mode `op` lacks once something was compiled."""

CAPTURED = "a CUDA graph was captured: the trace holds nothing of what happens in one"

NEVER_COMPILED = (
    "tracers.torch", "tracers.torch_operations", "trace", "trace_file", "trace_lines",
    "trace_threads", "digests", "contents", "torch_contents", "arrays", "callers",
)  # fmt: skip
"""Modules of seedlock that torch.compile meets in the hooks and must leave alone."""

_LEAVES = 64
"""How many items of a batch are looked at, where it can't be digested as a whole."""


class TorchTracer(Tracer):
    """Follow optimizers, `backward`, data loaders and the dispatcher."""

    name = "torch"
    entrances = (
        "torch",
        "torch.utils.data.dataloader",
        "torch._dynamo.trace_rules",
        "torch._dynamo.callback",
    )

    def __init__(self) -> None:
        self._operations: Operations | None = None
        self._on = False

    def intercept(self, module: Any, trace: Trace) -> None:
        if module.__name__ == "torch._dynamo.trace_rules":
            for own in NEVER_COMPILED:
                module.add(f"seedlock.{own}")
        elif module.__name__ == "torch._dynamo.callback":
            if trace.mode == "op":
                module.callback_handler.register_start_callback(lambda *_: trace.gap(COMPILED))
        elif module.__name__ == "torch.utils.data.dataloader":
            _follow_batches(module, trace)
        else:
            _follow_steps(module, trace)
            _follow_losses(sys.modules["torch.autograd"], trace)
            if trace.mode == "op":
                self._operations = Operations(module, trace)
                self.operations(trace, self._on)

    def generators(self) -> object:
        """Return the states of the CPU's generator and of those of CUDA's devices, once CUDA has
        started. Reads no device: the state of a device's generator lies with the program."""
        torch: Any = sys.modules.get("torch")
        if not hasattr(torch, "default_generator"):
            return None  # its import failed
        states = [torch.default_generator.get_state()]
        if torch.cuda.is_initialized() and not torch.cuda.is_current_stream_capturing():
            states += [each.get_state() for each in torch.cuda.default_generators]
        return states

    def operations(self, trace: Trace, on: bool) -> None:
        """Put the mode that notes operations below all other modes of this thread, or take it
        away from wherever it is."""
        self._on = on
        if self._operations is not None:
            self._operations.turn(on)


def _follow_steps(torch: Any, trace: Trace) -> None:
    hooks = sys.modules["torch.optim.optimizer"]

    def stepped(optimizer: Any, _args: object, _kwargs: object) -> None:
        if torch.compiler.is_compiling() or torch._C._is_tracing():
            return
        if torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing():
            trace.gap(CAPTURED)
            return
        if _inside_another(sys._getframe(1)):
            return
        groups = optimizer.param_groups
        parameters = [each for group in groups for each in group["params"]]
        if any(map(is_fake, set(map(type, parameters)))):
            return
        names = None
        if all("param_names" in group for group in groups):  # PyTorch 2.6 and later
            names = [name for group in groups for name in group["param_names"]]
        name = f"{type(optimizer).__name__}.step"
        try:
            trace.finished_step(name, parameters, names)
        except Undigestible as problem:
            trace.gap(f"the trace has no digest of the parameters after {name}: {problem}")
            trace.finished_step(name, [])

    hooks.register_optimizer_step_post_hook(stepped)


def _inside_another(step: Any) -> bool:
    # An optimizer that holds another one, as Lookahead does: its step ends later.
    frame = step.f_back
    while frame is not None:
        if frame.f_code is step.f_code:
            return True
        frame = frame.f_back
    return False


def _follow_losses(module: Any, trace: Trace) -> None:
    # The one way into the engine, for Tensor.backward, autograd.backward and autograd.grad
    # (PyTorch 2.3 to 2.13); the last does not accumulate gradients.
    torch: Any = sys.modules["torch"]
    whole = trace.mode == "op"

    def device() -> int | None:
        return _device(torch)

    def run(original: Callable[..., Any]) -> Callable[..., Any]:
        def _engine_run_backward(outputs: Any, *args: Any, **kwargs: Any) -> Any:
            if kwargs.get("accumulate_grad") and len(outputs) == 1 and not trace.idle():
                loss = outputs[0]
                if type(loss) is torch.Tensor and loss.numel() == 1:
                    trace.saw_loss(_number(torch, loss))
            if not whole:
                return original(outputs, *args, **kwargs)
            # The engine gives each of its threads this one's modes, and a device a thread.
            with trace.awaiting(device):
                return original(outputs, *args, **kwargs)

        return _engine_run_backward

    replace(module, "_engine_run_backward", run)


def _device(torch: Any) -> int | None:
    # Of a thread of the engine's: its CUDA device, or -1; None in any other thread. The engine
    # sets a thread's device before anything runs there, whatever its first tensor lies on.
    if torch._C._current_graph_task_id() == -1:
        return None
    number: int = torch.cuda.current_device() if torch.cuda.is_initialized() else -1
    return number


def _number(torch: Any, loss: Any) -> Any:
    with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction(), torch.no_grad():
        if loss.device.type == "cpu":
            try:
                return loss.item()
            except RuntimeError:
                return None  # inside a transformation: there is no number yet
        if loss.device.type == "cuda" and torch.cuda.is_current_stream_capturing():
            return None  # the copy would become part of the graph
        return loss.detach().clone()  # no waiting for the device here


def _follow_batches(module: Any, trace: Trace) -> None:
    def yielded(original: Callable[..., Any]) -> Callable[..., Any]:
        def following(self: Any) -> Any:
            with trace.nested():
                batch = original(self)
            _note_batch(trace, type(self._dataset).__name__, batch)
            return batch

        return following

    replace(module._BaseDataLoaderIter, "__next__", yielded)


def _note_batch(trace: Trace, op: str, batch: object) -> None:
    try:
        trace.result("batch", op, batch)
    except Undigestible as problem:
        trace.gap(f"the trace has digests of parts of the batches of {op} only: {problem}")
        trace.result("batch", op, [_readable(trace, each) for each in _leaves(batch)])


def _leaves(batch: Any) -> Iterator[object]:
    if isinstance(batch, dict):
        batch = [part for pair in batch.items() for part in pair]
    if not isinstance(batch, (list, tuple)):
        yield batch
        return
    for part in batch[:_LEAVES]:
        yield from _leaves(part)


def _readable(trace: Trace, value: object) -> object:
    try:
        trace.digester.of(value)
    except Undigestible:
        return f"{type(value).__module__}.{type(value).__qualname__}"
    return value


tracer = TorchTracer()
