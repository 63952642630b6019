"""JAX: what jitted calls return, and which of them count as steps.

JAX has a hook of its own that its C++ half calls after each call of a compiled function (api.py,
`_post_hook_state`: made for jax_debug_nans); the calls that compile come by `_run_python_pjit`
(pjit.py). So what `jax.jit` returns stays what it is. Written for JAX 0.10.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from seedlock.patching import is_replaced, replace
from seedlock.stand_ins import mark
from seedlock.tracers.base import Tracer
from seedlock.tracers.jax_functions import (
    FLOATS,
    Function,
    Functions,
    Hooks,
    gives_back,
    kind_of,
)
from seedlock.tracers.jax_operations import Interpreter, written_by_author

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from seedlock.trace import Trace

OPTAX = "optax._src.update"

QUIET = {
    "debug_nans": False,
    "debug_infs": False,
    "no_tracing": False,
    "debug_key_reuse": False,
    "disable_jit": False,
    "transfer_guard_host_to_device": "allow",
    "transfer_guard_device_to_device": "allow",
    "transfer_guard_device_to_host": "allow",
}
"""States of JAX under which to read results and repeat operations: what watches over the
program's own must not stop ours."""


class JaxTracer(Tracer):
    """Note the results of jitted calls, and of their equations at mode `op`.

    A call counts as a step if it gives back what it takes (`gives_back`, asked at a function's
    first call): parameters go in and come out, and gradients look like them.
    """

    name = "jax"
    entrances = ("jax", OPTAX)

    def __init__(self) -> None:
        self._known = Functions()
        self._on = self._inside = False
        self._fast = True
        self._process = os.getpid()
        self._counted = 0
        self._pjit: Any = None

    def intercept(self, module: Any, trace: Trace) -> None:
        self._trace = trace
        if module.__name__ == OPTAX:
            replace(module, "apply_updates", self._applying)
            return
        api = sys.modules.get("jax._src.api")
        pjit: Any = sys.modules.get("jax._src.pjit")
        needed = ("_run_python_pjit", "_get_fastpath_data", "_cpp_pjit_cache_explicit_attributes")
        if not hasattr(api, "_post_hook_state") or not all(hasattr(pjit, each) for each in needed):
            trace.gap(f"JAX {module.__version__} calls compiled functions in a way of its own: "
                      "they are not in the trace")  # fmt: skip
            return
        self._flatten = module.tree_util.tree_flatten
        self._paths = module.tree_util
        self._clean = sys.modules["jax._src.core"].trace_state_clean
        self._arrays = (module.Array, sys.modules["numpy"].ndarray)
        config = sys.modules["jax._src.config"]
        self._states = [(vars(config)[name], value) for name, value in QUIET.items()]
        self._interpreter = Interpreter(trace)
        self._pjit = pjit
        for name in ("source_info_util", "traceback_util"):
            sys.modules[f"jax._src.{name}"].register_exclusion(__file__)
        vars(api)["_post_hook_state"] = Hooks(vars(api)["_post_hook_state"], self._after)
        replace(pjit, "_run_python_pjit", self._watching)
        replace(pjit, "_get_fastpath_data", self._slowing)
        if not is_replaced(pjit.jit_p.impl):
            pjit.jit_p.impl = mark(self._transformed(pjit.jit_p.impl))
        replace(sys.modules["jax._src.stages"].Compiled, "__call__", self._calling)

    def operations(self, trace: Trace, on: bool) -> None:
        if self._pjit is None or on is self._on:
            return
        self._on = on
        # No function may know a way any more that goes by C++ alone, or none may miss it; but in
        # a forked child the threads are gone that a compiled function may wait for as it goes.
        if self._fast if on else os.getpid() == self._process:
            self._pjit._cpp_pjit_cache_fun_only.clear()
            self._pjit._cpp_pjit_cache_explicit_attributes.clear()
            self._pjit._jax.PjitFunctionCache.clear_all()
            self._fast = False

    def _after(self, called: Any, args: Any, kwargs: Any, output: Any) -> None:
        function = getattr(called, "_fun", None)  # none inside grad, vmap and what is compiled
        if function is not None and not self._inside and self._clean():
            known = self._known.of(function)
            if not known.inside:
                self._note(known, args, kwargs, output)

    def _watching(self, original: Any) -> Any:
        def _run_python_pjit(p: Any, args_flat: Any, fun: Any, args: Any, kwargs: Any) -> Any:
            if self._inside or not self._clean():
                return original(p, args_flat, fun, args, kwargs)
            known = self._known.of(fun)
            if self._heard():
                self._inside = True
                try:
                    if not known.inside:
                        with self._quiet():
                            self._interpreter.run(p.params["jaxpr"], args_flat, known.name)
                    found = original(p, args_flat, fun, args, kwargs)
                finally:
                    self._inside = False
                if known.inside:
                    self._operation(known.name, found[1])
            else:
                found = original(p, args_flat, fun, args, kwargs)
            if not known.inside:
                self._note(known, args, kwargs, found[0])
            return found

        return _run_python_pjit

    def _slowing(self, original: Any) -> Any:
        def _get_fastpath_data(*args: Any, **kwargs: Any) -> Any:
            if self._on:
                return None
            self._fast = True
            return original(*args, **kwargs)

        return _get_fastpath_data

    def _transformed(self, original: Any) -> Any:
        # A jitted function under grad or vmap that is not itself jitted.
        def impl(*args: Any, **params: Any) -> Any:
            if self._inside or not self._heard():
                return original(*args, **params)
            self._inside = True
            try:
                whole = not written_by_author(params["jaxpr"])
                if not whole:
                    with self._quiet():
                        self._interpreter.run(params["jaxpr"], args, params["name"])
                found = original(*args, **params)
            finally:
                self._inside = False
            if whole:
                self._operation(params["name"], found)
            return found

        return impl

    def _calling(self, original: Any) -> Any:
        def call(compiled: Any, *args: Any, **kwargs: Any) -> Any:
            output = original(compiled, *args, **kwargs)
            if not self._inside and self._clean():
                called = getattr(compiled._executable, "unsafe_call", None)
                name = getattr(called, "name", "compiled")  # jit(train_step)
                known = self._known.of(compiled, name)
                if self._heard():
                    self._trace.gap(f"{name} was compiled before its call: its operations are not "
                                    "in the trace")  # fmt: skip
                self._note(known, args, kwargs, output)
            return output

        return call

    def _applying(self, original: Any) -> Any:
        # optax, outside of any jit: a step, unless the gradients came by a call that counted.
        def apply_updates(params: Any, updates: Any) -> Any:
            output = original(params, updates)
            if self._pjit is None or not self._clean():
                return output
            leaves, names = self._leaves(output, Function("", False))
            if leaves:
                with self._quiet():
                    if self._trace.step != self._counted:
                        self._trace.result("call", "optax.apply_updates", leaves, None, names)
                    else:
                        self._trace.finished_step("optax.apply_updates", leaves, names)
                self._counted = self._trace.step
            return output

        return apply_updates

    def _note(self, known: Function, args: Any, kwargs: Any, output: Any) -> None:
        leaves, names = self._leaves(output, known)
        if not leaves:
            return
        if known.counts is None:
            arguments = [self._flatten(each)[0] for each in (*args, *kwargs.values())]
            known.counts = gives_back(arguments, leaves)
        with self._quiet():
            if known.counts:
                numbers = [each for each in leaves if not each.shape and kind_of(each)[1] in FLOATS]
                loss = numbers[0] if len(numbers) == 1 else None
                self._trace.finished_step(known.name, leaves, names, None, loss)
            elif len(leaves) == 1:
                self._trace.result("call", known.name, leaves[0])
            else:
                self._trace.result("call", known.name, leaves, None, names)

    def _leaves(self, output: Any, known: Function) -> tuple[list[Any], list[str] | None]:
        leaves, tree = self._flatten(output)
        if known.tree is None or known.tree != tree:
            known.tree = tree
            paths = self._paths.tree_flatten_with_path(output)[0]
            known.names = [self._paths.keystr(path) for path, _ in paths] if len(paths) > 1 else []
        held = [at for at, leaf in enumerate(leaves) if isinstance(leaf, self._arrays)]
        if len(held) == len(leaves):
            return leaves, known.names or None
        return [leaves[at] for at in held], [known.names[at] for at in held] or None

    def _operation(self, name: str, outputs: Any) -> None:
        with self._quiet():
            held = [each for each in outputs if isinstance(each, self._arrays)]
            if held:
                self._trace.result("op", name, held[0] if len(held) == 1 else held)

    def _heard(self) -> bool:
        return self._on and not self._trace.idle()

    def _quiet(self) -> ExitStack:
        stack = ExitStack()
        for state, value in self._states:
            if state.value is not None and state.value != value:
                stack.enter_context(state(value))
        return stack


tracer = JaxTracer()
