"""Run a jitted function's equations one by one and note what each yields.

The compiled function runs all the same and gives the result; XLA fuses operations there, so that
their bits may differ from those of single ones. Equal inputs have equal bits here too.
"""

from __future__ import annotations

import sys
from weakref import WeakKeyDictionary

from seedlock.callers import is_library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from seedlock.trace import Trace

REPEATED = (
    "pure_callback", "io_callback", "debug_callback", "debug_print", "ffi_call", "infeed",
    "outfeed", "custom_partitioning", "shard_map", "xla_pmap", "pallas_call", "custom_lin",
)  # fmt: skip
"""Primitives of functions that are not run a second time: the program would notice, or they need
what only the compiled function has."""

INNER = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}
"""Primitives that are calls, and the parameter that holds what they call."""


class Interpreter:
    """Write the equations' results of one jitted call after another into the trace."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._core = sys.modules["jax._src.core"]
        self._sources = sys.modules["jax._src.source_info_util"]
        self._canonical = sys.modules["jax._src.dtypes"].canonicalize_value
        self._array = sys.modules["jax"].Array
        self._reasons: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._places: WeakKeyDictionary[Any, dict[int, str | None]] = WeakKeyDictionary()

    def run(self, closed: Any, arguments: Sequence[Any], name: str) -> None:
        """Run a function's equations; leave a gap where that can't be done.

        Args:
            closed: the function as JAX traced it, a ClosedJaxpr.
            arguments: its arguments, flat. None is donated.
            name: of the function.
        """
        reason = self._reasons.get(closed.jaxpr)
        if reason is None:
            reason = self._reasons[closed.jaxpr] = self._obstacle(closed.jaxpr)
        if not reason:
            given = [
                each if isinstance(each, self._array) else self._canonical(each)
                for each in arguments
            ]
            try:
                self._evaluate(closed.jaxpr, closed.consts, given, None)
            except (RuntimeError, TypeError, ValueError, AssertionError) as problem:
                reason = f"{type(problem).__name__} outside of the compiled function"
                self._reasons[closed.jaxpr] = reason
        if reason:
            self._trace.gap(f"the operations of {name} are not in the trace: {reason}")

    def _obstacle(self, jaxpr: Any) -> str:
        if jaxpr.effects:
            return "it has side effects"
        if getattr(jaxpr, "is_high", False):
            return "it holds types of its own"
        for equation in jaxpr.eqns:
            if equation.primitive.name in REPEATED:
                return f"it holds {equation.primitive.name}"
        for inner in self._core.subjaxprs(jaxpr):
            found = self._obstacle(inner)
            if found:
                return found
        return ""

    def _evaluate(
        self, jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any], outer: str | None
    ) -> list[Any]:
        # As jax.core.eval_jaxpr does.
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
        values.update(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, self._core.Literal) else values[atom]

        last_used = self._core.last_used(jaxpr)
        places = self._places.setdefault(jaxpr, {})
        for index, equation in enumerate(jaxpr.eqns):
            place = outer
            if place is None:
                if index not in places:
                    places[index] = self._place(equation)
                place = places[index]
            inputs = [read(atom) for atom in equation.invars]
            with equation.ctx.manager:
                outputs = self._outputs(equation, inputs, place)
            values.update(zip(equation.outvars, outputs, strict=True))
            self._core.clean_up_dead_vars(equation, values, last_used)
        return [read(atom) for atom in jaxpr.outvars]

    def _outputs(self, equation: Any, inputs: list[Any], place: str | None) -> list[Any]:
        name, params = equation.primitive.name, equation.params
        inner = params[INNER[name]] if name in INNER else None
        if name == "cond":
            branches = params["branches"]
            index = min(max(int(inputs[0]), 0), len(branches) - 1)
            inner, inputs = branches[index], inputs[1:]
        if inner is not None:
            # JAX traces its own functions once and keeps them: with the lines of the first call.
            outer = None if written_by_author(inner) else place
            closed = hasattr(inner, "jaxpr")
            return self._evaluate(
                inner.jaxpr if closed else inner, inner.consts if closed else (), inputs, outer
            )
        found = equation.primitive.bind(*inputs, **equation.primitive.get_bind_params(params))
        outputs = list(found) if equation.primitive.multiple_results else [found]
        held = [each for each in outputs if isinstance(each, self._array)]
        if held:
            self._trace.result("op", name, held[0] if len(held) == 1 else held, place)
        return outputs

    def _place(self, equation: Any) -> str | None:
        frames = list(self._sources.user_frames(equation.source_info.traceback))
        for frame in frames:
            if not is_library(frame.file_name):
                return f"{frame.file_name}:{frame.start_line}"
        return f"{frames[0].file_name}:{frames[0].start_line}" if frames else None


def written_by_author(function: Any) -> bool:
    """Tell whether a function that JAX traced, a Jaxpr or ClosedJaxpr, is the author's own."""
    jaxpr = getattr(function, "jaxpr", function)
    file = getattr(jaxpr.debug_info, "func_filename", None)
    return file is not None and not is_library(file)
