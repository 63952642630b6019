"""scikit-learn: what each fit found."""

from __future__ import annotations

from functools import wraps

from seedlock.errors import Undigestible
from seedlock.patching import is_replaced
from seedlock.stand_ins import mark
from seedlock.tracers.base import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from seedlock.trace import Trace

FITS = ("fit", "partial_fit", "fit_transform", "fit_predict")
"""Methods that fit. Most of the last two call `fit`, which is nested then."""

HELD = ("steps", "transformer_list", "_predictors")
"""Where what was fitted lies under a name that does not end in `_`: in a pipeline, a union of
features, the trees of histogram-based boosting."""

TIMES = ("_time", "_time_")
"""Ends of names of what differs from run to run: the durations in `cv_results_`."""

_trace: Trace | None = None
_estimator: type = object


class SklearnTracer(Tracer):
    """Follow the fits of all classes that come from BaseEstimator, other packages' too."""

    name = "sklearn"
    entrances = ("sklearn.base",)

    def intercept(self, module: Any, trace: Trace) -> None:
        # Decorators are no place for it: other packages do without _fit_context. Each class
        # passes here, since nothing imports sklearn.base before it is executed.
        global _trace, _estimator
        _trace, _estimator = trace, module.BaseEstimator
        base = module.BaseEstimator
        held = vars(base).get("__init_subclass__")

        def defined(cls: Any, /, **kwargs: Any) -> None:
            if held is None:
                super(base, cls).__init_subclass__(**kwargs)
            else:
                held.__func__(cls, **kwargs)
            follow(cls)

        base.__init_subclass__ = classmethod(defined)


def follow(kind: type) -> None:
    """Put hooks at the fits that a class defines itself."""
    for name in FITS:
        method: Any = vars(kind).get(name)
        if hasattr(method, "check") and callable(getattr(method, "fn", None)):
            if not is_replaced(method.fn):
                method.fn = _followed(method.fn, name)  # sklearn.utils.metaestimators.available_if
        elif callable(method) and not is_replaced(method):
            setattr(kind, name, _followed(method, name))


def _followed(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    # Holds no trace: a class of the author's script may be pickled by value, with its methods.
    @wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _fit(original, name, self, args, kwargs)

    return mark(fit)


def _fit(
    original: Callable[..., Any], name: str, estimator: Any, args: Any, kwargs: dict[str, Any]
) -> Any:
    trace = _trace
    if trace is None:
        return original(estimator, *args, **kwargs)
    with trace.nested() as outermost:
        done = original(estimator, *args, **kwargs)
    op = f"{type(estimator).__name__}.{name}"
    if outermost:
        _note(trace, op, estimator)
    elif trace.idle():
        trace.result("fit", op, None)  # another thread's: counted among what is left out
    return done


def _note(trace: Trace, op: str, estimator: Any) -> None:
    found = fitted(estimator)
    try:
        trace.result("fit", op, found, rng=True)
    except Undigestible:
        for name in list(found):
            try:
                trace.digester.of(found[name])
            except Undigestible as problem:
                trace.gap(f"the trace leaves {name} out of the results of {op}: {problem}")
                del found[name]
        trace.result("fit", op, found, rng=True)


def fitted(estimator: Any) -> dict[str, object]:
    """Return the attributes that an estimator found by fitting, sorted by name: those whose names
    end in `_` and do not begin with it (scikit-learn's convention), and what `HELD` names.

    Estimators in them are shown by the same, so that what they keep for themselves, such as
    durations, does not count.
    """
    return {
        name: _shown(value)
        for name, value in sorted(vars(estimator).items())
        if name in HELD or (name.endswith("_") and name[0] != "_" and not name.endswith(TIMES))
    }


def _shown(value: Any) -> object:
    if isinstance(value, _estimator):
        return {"class": type(value).__qualname__, **fitted(value)}
    if type(value) in (list, tuple):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {
            key: _shown(each)
            for key, each in value.items()
            if not (isinstance(key, str) and key.endswith(TIMES))
        }
    if getattr(getattr(value, "dtype", None), "hasobject", False) and hasattr(value, "tolist"):
        return _shown(value.tolist())
    return value


tracer = SklearnTracer()
