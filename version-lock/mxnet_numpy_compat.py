"""Let Apache MXNet 1.9.1, its last release (2022), run on the NumPy that the other frameworks need.

`mxnet_numpy_finder` stands in front of `sys.meta_path` and loads this module when somebody imports
mxnet, and not before. Then, around the execution of mxnet:

- before: the NumPy names that mxnet reads and that this NumPy no longer has are added to NumPy.
  A name that NumPy has is never replaced. The added names stay, since mxnet reads some at use.
- after: mxnet hands the arguments of an operator to C as text, and C can't read what NumPy 2
  writes for a NumPy number inside a tuple. The two modules that write this text get a `str` that
  writes it as NumPy 1 did.

Nothing fails in silence: if the layer can't do its work, `import mxnet` is an ImportError that
says why, and the next `import mxnet` tries again.

What mxnet reads was found on mxnet 1.9.1 by adding one name at a time in fresh processes and by a
scan of its sources; when NumPy dropped a name is from NumPy's release notes. The figures are in
the README beside this file.
"""

from __future__ import annotations

import functools
import sys
import threading
import types
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec

_finding = threading.local()


def find_spec(
    name: str, path: Sequence[str] | None, target: types.ModuleType | None
) -> ModuleSpec | None:
    """Return mxnet's spec as the finders behind ours find it, with the layer around its execution.

    Any of them may wrap the loader as well, or ask every other finder, ours included (seedlock's
    does): our inner turn then finds nothing, so the layer is put on once and nothing runs in
    circles.
    """
    if getattr(_finding, "busy", False):
        return None
    _finding.busy = True
    try:
        spec = _spec_behind_ours(name, path, target)
    finally:
        _finding.busy = False
    # A folder called mxnet without an __init__.py has no origin: nothing of MXNet is in it.
    if spec is not None and spec.loader is not None and spec.origin is not None:
        _surround(spec.loader)
    return spec


def _spec_behind_ours(
    name: str, path: Sequence[str] | None, target: types.ModuleType | None
) -> ModuleSpec | None:
    finders: list[Any] = list(sys.meta_path)
    ours = finders.index(sys.modules["mxnet_numpy_finder"])
    for finder in finders[ours + 1 :]:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, target) if find is not None else None
        if spec is not None:
            return spec
    return None


def _surround(loader: Any) -> None:
    execute = loader.exec_module

    def exec_module(module: types.ModuleType) -> None:
        _or_import_error(add_numpy_names)
        _or_import_error(silence_age_warnings)
        execute(module)
        _or_import_error(write_arguments_as_numpy_1)

    loader.exec_module = exec_module


def _or_import_error(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception as error:
        raise ImportError(
            f"mxnet needs its NumPy compatibility layer, and mxnet_numpy_compat.{step.__name__} "
            f"failed: {type(error).__name__}: {error}",
            name="mxnet",
        ) from error


def add_numpy_names() -> None:
    """Add to NumPy each name that mxnet reads and that this NumPy has dropped.

    Read by `import mxnet` itself, all but these: `int` (mxnet/test_utils.py) and
    `compat.basestring` (`mx.np.pad`) are read at use.
    """
    import numpy

    version = _numpy_version()
    for dropped_in, names in _dropped_names(numpy).items():
        for name, value in names.items():
            if version >= dropped_in and name not in vars(numpy):
                setattr(numpy, name, value)


def _numpy_version() -> tuple[int, int]:
    import numpy

    major, minor = numpy.__version__.split(".")[:2]
    return int(major), int(minor)


def _dropped_names(numpy: Any) -> dict[tuple[int, int], dict[str, object]]:
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
            **{name: _financial(name) for name in ("mirr", "npv", "pmt", "ppmt", "pv", "rate")},
        },
        (2, 4): {
            "in1d": lambda ar1, ar2, **options: numpy.isin(numpy.ravel(ar1), ar2, **options),
            "trapz": getattr(numpy, "trapezoid", None),
        },
    }


def _financial(name: str) -> Callable[..., None]:
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


def write_arguments_as_numpy_1() -> None:
    """Give the two modules that turn operator arguments into text a `str` that C can read.

    `str((numpy.int64(2), 3))` is '(2, 3)' in NumPy 1 and '(np.int64(2), 3)' since 2.0 (NEP 51);
    mxnet's C parser refuses the latter, and mxnet's own Orthogonal initializer produces it. In
    both modules `str` has no other use.
    """
    if _numpy_version() < (2, 0):
        return
    for name in ("mxnet._ctypes.ndarray", "mxnet._ctypes.symbol"):
        module = sys.modules.get(name)
        # Absent: what was imported as mxnet is no MXNet 1.x, and has no such modules.
        if module is not None:
            module.__dict__["str"] = text_of_argument


def text_of_argument(value: object) -> str:
    """Return `str(value)` as NumPy 1 wrote it: without the types of numbers in tuples and lists."""
    return _representation(value) if type(value) in (tuple, list) else str(value)


def _representation(value: Any) -> str:
    import numpy

    if type(value) is tuple:
        inner = ", ".join(map(_representation, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if type(value) is list:
        return f"[{', '.join(map(_representation, value))}]"
    if isinstance(value, numpy.number | numpy.bool_):
        return str(value)
    if isinstance(value, numpy.character):
        return repr(value.item())
    return repr(value)
