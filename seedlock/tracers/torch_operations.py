"""The operations of PyTorch's dispatcher, each with what it returned or changed."""

from __future__ import annotations

import sys

from seedlock.errors import Undigestible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

UNINITIALISED = {
    "empty", "empty_like", "empty_strided", "empty_permuted", "empty_quantized", "new_empty",
    "new_empty_strided", "_empty_affine_quantized", "_empty_per_channel_affine_quantized",
    "resize", "resize_", "resize_as_", "resize_as_sparse_", "_resize_output_", "set_",
    "sparse_resize_", "sparse_resize_and_clear_", "_nested_from_padded_tensor",
}  # fmt: skip
"""Operations whose result is memory that nobody has written to, or another's."""

VIEWS = {"_unsafe_view", "lift"}
"""Views that the schema does not show as such."""

PARTLY = {
    "_ctc_loss": (1,), "_cudnn_attention_forward": (6, 7, 8), "_cudnn_rnn": (3, 4),
    "_batch_norm_with_update": (3,), "cudnn_batch_norm": (3,),
    "_efficient_attention_forward": (1, 2, 3), "_flash_attention_forward": (2, 3, 4),
    "_scaled_dot_product_cudnn_attention": (6, 7, 8),
    "_scaled_dot_product_efficient_attention": (1, 2, 3),
    "_scaled_dot_product_flash_attention": (6, 7, 8), "miopen_rnn": (3, 4),
    "mkldnn_rnn_layer": (3,), "rrelu_with_noise": (1,),
}  # fmt: skip
"""Which results of an operation may hold memory that it does not write to: workspaces, the state
of a generator that was not asked. Places among what it returns and then what else it changes.

Found on a CPU by running PyTorch 2.13's own samples of all operations (op_db) with
MALLOC_PERTURB_ set to 0, 85 and 170; those of CUDA by reading its sources."""

UNFINISHED = {
    "c10d", "c10d_functional", "_c10d_functional", "_c10d_functional_autograd", "symm_mem",
}  # fmt: skip
"""Namespaces of operations whose results come later, in another thread."""

FINISHED = "wait_tensor"
"""The one among them that waits."""

COPIES = {"copy_", "_to_copy"}
"""Operations that may go on after they returned, with `non_blocking`."""


class Plan:
    """What of an operation is a result.

    Attributes:
        name: as in the trace.
        left_out: places of what is returned and is none: views, memory that nobody wrote to.
        changed: places and names of the arguments that it changes and does not return.
        copies: whether it may go on after it returned.
    """

    __slots__ = ("name", "left_out", "changed", "copies")

    def __init__(
        self,
        name: str,
        left_out: tuple[int, ...] = (),
        changed: tuple[tuple[int, str], ...] = (),
        copies: bool = False,
    ) -> None:
        self.name = name
        self.left_out = left_out
        self.changed = changed
        self.copies = copies


def plan_of(function: Any) -> Plan | None:
    """Return what of an operation is a result, None for nothing."""
    schema = getattr(function, "_schema", None)
    if schema is None:
        return Plan(str(function))  # of a higher order: what it returns
    namespace, _, base = schema.name.partition("::")
    if base in UNINITIALISED or base in VIEWS:
        return None
    if namespace in UNFINISHED and base != FINISHED:
        return None
    partly = PARTLY.get(base, ())
    left_out = list(partly)
    returned: set[str] = set()
    results = 0
    for place, each in enumerate(schema.returns):
        if each.alias_info is not None and not each.alias_info.is_write:
            left_out.append(place)
        elif "Tensor" in str(each.type) and place not in left_out:
            results += 1
            if each.alias_info is not None:
                returned |= each.alias_info.before_set
    changed = [
        (place, each.name)
        for place, each in enumerate(schema.arguments)
        if each.alias_info is not None
        and each.alias_info.is_write
        and not each.alias_info.before_set & returned
    ]
    first = len(schema.returns)
    changed = [each for place, each in enumerate(changed, first) if place not in partly]
    if not results and not changed:
        return None
    return Plan(str(function), tuple(left_out), tuple(changed), base in COPIES)


def is_fake(kind: type) -> bool:
    """Tell whether a class is that of tensors without numbers, which compilers work with."""
    return any(base.__name__ == "FakeTensor" for base in kind.__mro__)


class Operations:
    """Notes each operation of one thread while it is turned on.

    Args:
        torch: the module.
        trace: where to note them.
    """

    def __init__(self, torch: Any, trace: Trace) -> None:
        self._torch = torch
        self._trace = trace
        self._mode = _mode(torch, self)
        self._readable: dict[type, bool] = {}
        self.on = self._told = False
        dispatch = sys.modules["torch.utils._python_dispatch"].TorchDispatchMode
        if not hasattr(dispatch, "supports_higher_order_operators"):
            self._stay_away_from_higher_orders(sys.modules["torch._ops"])

    def turn(self, on: bool) -> None:
        """Turn the notes on or off: put the mode below all others or take it away.

        Below, since what other modes make of an operation is what happens, and since a mode of
        the program's takes away what lies on top when it ends.
        """
        core = self._torch._C
        if on and self._trace.idle():
            self._trace.gap("another thread imported torch: its operations are not in the trace")
            return
        self.on = on
        held = [
            core._get_dispatch_stack_at(place) for place in range(core._len_torch_dispatch_stack())
        ]
        # PyTorch's own modes have places of their own, below.
        held = [mode for mode in held if getattr(mode, "_mode_key", None) is None]
        if (held[:1] == [self._mode]) is on and self._mode not in held[1:]:
            return
        for _ in held:
            core._pop_torch_dispatch_stack(None)
        for mode in [self._mode] * on + [each for each in held if each is not self._mode]:
            core._push_on_torch_dispatch_stack(mode)

    def own_way(self, kinds: Any) -> bool:
        """Tell whether a class of tensors that are made of others gets its turn first, with this
        mode below it."""
        made = [kind for kind in kinds if not self._is_readable(kind)]
        return bool(made) and not any(map(is_fake, made))

    def note(self, plan: Plan, result: Any, args: Any, kwargs: Any) -> None:
        """Note what an operation returned and changed."""
        found: Any = result
        if plan.changed or plan.left_out or not self._is_readable(type(result)):
            found = self._found(plan, result, args, kwargs)
            if not found:
                return
            if len(found) == 1:
                found = found[0]
        cuda = self._torch.cuda
        if cuda.is_initialized():
            if cuda.is_current_stream_capturing():
                return
            if plan.copies and (kwargs or {}).get("non_blocking", args[2:] == (True,)):
                cuda.current_stream().synchronize()
        try:
            self._trace.result("op", plan.name, found)
        except Undigestible as problem:
            if not self._told:
                self._told = True
                self._trace.gap(
                    f"the trace has no digest of what some operations returned, {plan.name} the "
                    f"first of them: {problem}"
                )

    def _found(self, plan: Plan, result: Any, args: Any, kwargs: Any) -> list[object]:
        several = type(result) in (tuple, list)
        parts = [
            part
            for place, part in enumerate(result if several else (result,))
            if place not in plan.left_out
        ]
        for place, name in plan.changed:
            parts.append(args[place] if place < len(args) else (kwargs or {}).get(name))
        found: list[object] = []
        for part in parts:
            within = part if type(part) in (tuple, list) else (part,)
            found += [each for each in within if self._is_readable(type(each))]
        return found

    def _is_readable(self, kind: type) -> bool:
        known = self._readable.get(kind)
        if known is None:
            tensor = self._torch.Tensor
            plain = (tensor.__torch_dispatch__, self._torch._C._disabled_torch_dispatch_impl)
            known = issubclass(kind, tensor) and getattr(kind, "__torch_dispatch__", None) in plain
            self._readable[kind] = known
        return known

    def _stay_away_from_higher_orders(self, ops: Any) -> None:
        # Before PyTorch had that attribute, an operation of a higher order refused any mode that
        # it did not know.
        from seedlock.patching import replace

        def call(original: Any) -> Any:
            def called(this: Any, *args: Any, **kwargs: Any) -> Any:
                if not self.on:
                    return original(this, *args, **kwargs)
                self._trace.gap(f"the trace holds nothing of what happens in {this}")
                self.turn(False)
                try:
                    return original(this, *args, **kwargs)
                finally:
                    self.turn(True)

            return called

        replace(ops.HigherOrderOperator, "__call__", call)


def _mode(torch: Any, operations: Operations) -> Any:
    base: Any = sys.modules["torch.utils._python_dispatch"].TorchDispatchMode
    depth = torch._C._len_torch_dispatch_stack
    tracing = torch._C._is_tracing
    # By identity, since an operation's own hash is a function in Python; each is kept, so that
    # no other gets its identity.
    plans: dict[int, tuple[Any, Plan | None]] = {}

    class Mode(base):  # type: ignore[misc]
        supports_higher_order_operators = True

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # trace_rules does that, without a cost to each operation

        @classmethod
        def ignore_compile_internals(cls) -> bool:
            return True  # else there is no compiling with this mode

        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            # While another mode is at work below, values may be symbols.
            plain = not depth()
            if types and plain and operations.own_way(types):
                return NotImplemented
            result = function(*args, **kwargs) if kwargs else function(*args)
            if plain and operations.on and not tracing():
                known = plans.get(id(function))
                if known is None:
                    known = plans[id(function)] = (function, plan_of(function))
                if known[1] is not None:
                    operations.note(known[1], result, args, kwargs)
            return result

    return Mode()
