"""Let Apache MXNet 1.9.1, its last release (2022), run on the NumPy that the other frameworks need.

Installed as `mxnet/_cy3/ndarray.py`. That is where mxnet (mxnet/ndarray/_internal.py) looks for a
Cython form of its operator calls, early in `import mxnet`, and the wheel leaves the place empty:
so this runs when mxnet is imported, in no other interpreter and beside no import hook. It offers
mxnet's own ctypes form, once these two things are done:

- The NumPy names that mxnet reads and that this NumPy no longer has are added to NumPy. A name
  that NumPy has is never replaced. The added names stay, since mxnet reads some at use.
- mxnet hands the arguments of an operator to C as text, and C can't read what NumPy 2 writes for a
  NumPy number inside a tuple. The two modules that write this text get a `str` that writes it as
  NumPy 1 did.

Nothing fails in silence: if the layer can't do its work, `import mxnet` ends in a RuntimeError
that says why (not an ImportError: mxnet catches that and goes on without), and the next
`import mxnet` tries again. MXNET_ENABLE_CYTHON=0 switches the layer off, and mxnet then says which
NumPy name it misses.

What mxnet reads was found on mxnet 1.9.1 by adding one name at a time in fresh processes and by a
scan of its sources; when NumPy dropped a name is from NumPy's release notes. The figures are in
the README of the folder version-lock.
"""

from __future__ import annotations

import functools
import types
import warnings
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from collections.abc import Callable


def numpy_version() -> tuple[int, int]:
    major, minor = numpy.__version__.split(".")[:2]
    return int(major), int(minor)


def add_numpy_names(target: Any) -> None:
    """Add to NumPy each name that mxnet reads and that this NumPy has dropped.

    Read by `import mxnet` itself, all but these: `int` (mxnet/test_utils.py) and
    `compat.basestring` (`mx.np.pad`) are read at use.
    """
    for dropped_in, names in dropped_names().items():
        for name, value in names.items():
            if numpy_version() >= dropped_in and name not in vars(target):
                setattr(target, name, value)


def dropped_names() -> dict[tuple[int, int], dict[str, object]]:
    """Return, per NumPy release that dropped them, the names with what they meant.

    Source: NumPy's release notes 1.24.0 ("Expired deprecations"), 2.0.0 ("NumPy 2.0 Python API
    removals") and 2.4.0. The financial functions were dropped in 1.20, but until 2.0 NumPy itself
    answered to their names with a function that says so.
    """
    return {
        (1, 24): {"bool": numpy.bool_, "int": int},
        (2, 0): {
            "PZERO": 0.0,
            "NZERO": -0.0,
            "PINF": numpy.inf,
            "NINF": -numpy.inf,
            "Inf": numpy.inf,
            "NAN": numpy.nan,
            "NaN": numpy.nan,
            "alltrue": numpy.all,
            "sometrue": numpy.any,
            "product": numpy.prod,
            "round_": numpy.round,
            "msort": functools.partial(numpy.sort, axis=0),
            "compat": types.SimpleNamespace(basestring=str),
            **{name: financial(name) for name in ("mirr", "npv", "pmt", "ppmt", "pv", "rate")},
        },
        (2, 4): {
            "in1d": lambda ar1, ar2, **options: numpy.isin(numpy.ravel(ar1), ar2, **options),
            "trapz": getattr(numpy, "trapezoid", None),
        },
    }


def financial(name: str) -> Callable[..., None]:
    def dropped(*_: object, **__: object) -> None:
        raise RuntimeError(f"numpy.{name} left NumPy in 1.20; the package numpy-financial has it")

    return dropped


def silence_age_warnings() -> None:
    """Hide the four deprecation warnings by which Python libraries tell mxnet its age.

    Python shows none of them by default, but under `-W error` each would end `import mxnet` or
    the first `mx.nd.array`. Only these messages and only where mxnet's own modules are the caller:
    the same call in the user's code still warns.
    """
    for message in (
        "distutils Version classes are deprecated",
        r"Please import `csr_matrix` from the `scipy\.sparse` namespace",
        r"`(in1d|trapz)` is deprecated",
        r"tostring\(\) is deprecated",
    ):
        warnings.filterwarnings("ignore", message, DeprecationWarning, r"mxnet\b")


def text_of_argument(value: object) -> str:
    """Return `str(value)` as NumPy 1 wrote it: without the types of numbers in tuples and lists.

    `str((numpy.int64(2), 3))` is '(2, 3)' in NumPy 1 and '(np.int64(2), 3)' since 2.0 (NEP 51);
    mxnet's C parser refuses the latter, and mxnet's own Orthogonal initializer produces it.
    """
    return representation(value) if type(value) in (tuple, list) else str(value)


def representation(value: Any) -> str:
    if type(value) is tuple:
        inner = ", ".join(map(representation, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if type(value) is list:
        return f"[{', '.join(map(representation, value))}]"
    if isinstance(value, numpy.number | numpy.bool_):
        return str(value)
    if isinstance(value, numpy.character):
        return repr(value.item())
    return repr(value)


try:
    add_numpy_names(numpy)
    silence_age_warnings()

    from mxnet._ctypes import ndarray, symbol
    from mxnet._ctypes.ndarray import CachedOp, NDArrayBase, _imperative_invoke

    if numpy_version() >= (2, 0):
        # In both modules `str` has no use but for the text of arguments.
        for module in (ndarray, symbol):
            module.str = text_of_argument
except Exception as error:
    raise RuntimeError(
        f"mxnet needs its NumPy compatibility layer ({__file__}), which failed: "
        f"{type(error).__name__}: {error}"
    ) from error

__all__ = ["CachedOp", "NDArrayBase", "_imperative_invoke"]
