"""MXNet's compatibility layer: only where mxnet is imported, and never in silence."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import ROOT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Run

    Fake = Callable[..., subprocess.CompletedProcess[str]]

# An mxnet as small as can be, that looks for its Cython form in the words of mxnet 1.9.1.
FAKE_MXNET = {
    "__init__.py": """
import numpy
from mxnet import _internal
if hasattr(numpy, "fail_once"):
    del numpy.fail_once
    raise ValueError("first time")
works = numpy.product((2, 3)) == 6
text = _internal.NDArrayBase.text
""",
    "_internal.py": """
try:
    from ._cy3.ndarray import NDArrayBase, CachedOp, _imperative_invoke
except ImportError:
    from ._ctypes.ndarray import NDArrayBase, CachedOp, _imperative_invoke
""",
    "_cy3/__init__.py": "",
    "_ctypes/__init__.py": "",
    "_ctypes/ndarray.py": """
class NDArrayBase:
    text = staticmethod(lambda value: str(value))
CachedOp = _imperative_invoke = None
""",
    "_ctypes/symbol.py": "text = lambda value: str(value)\n",
}
SAY_WORKS = """
import numpy
from mxnet._ctypes import symbol
shape = (numpy.int64(2), 3)
print(mxnet.works, mxnet.text(shape), symbol.text(shape))
"""
WORKS = "True (2, 3) (2, 3)\n"


@pytest.fixture
def fake(tmp_path: Path, lock: Path, python: Run) -> Fake:
    """Run a program in an interpreter whose mxnet is the small fake above, with the layer."""
    for name, text in FAKE_MXNET.items():
        path = tmp_path / "mxnet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    layer = (lock / "mxnet_numpy_compat.py").read_text()
    (tmp_path / "mxnet" / "_cy3" / "ndarray.py").write_text(layer)

    def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return python("-c", program, PYTHONPATH=f"{tmp_path}:{ROOT}", **variables)

    return run


# ---- mxnet itself


@pytest.mark.parametrize("options", [[], ["-I"], ["-E", "-s"], ["-W", "error"]], ids=str)
@pytest.mark.parametrize("seed", [{}, {"REPRO_SEED": "7"}], ids=["unset", "seed"])
def test_mxnet_is_imported_without_a_word(
    python: Run, options: list[str], seed: dict[str, str]
) -> None:
    program = "import mxnet; print(mxnet.nd.array([1.5]).sum().asscalar())"
    result = python(*options, "-c", program, **seed)
    assert (result.returncode, result.stdout, result.stderr) == (0, "1.5\n", "")


@pytest.mark.parametrize("first", ["", "import numpy\n", "import mxnet.symbol\n"])
def test_both_modules_that_write_arguments_have_the_text_of_numpy_1(
    python: Run, first: str
) -> None:
    program = (
        "import mxnet\n"
        "from mxnet._ctypes import ndarray, symbol\n"
        "print(ndarray.str is symbol.str, ndarray.str.__module__)"
    )
    assert python("-c", first + program).stdout == "True mxnet._cy3.ndarray\n"


def test_switched_off_the_layer_is_missed_aloud(python: Run) -> None:
    result = python("-c", "import mxnet", MXNET_ENABLE_CYTHON="0")
    assert result.returncode == 1
    assert "`np.PZERO` was removed" in result.stderr.splitlines()[-1]


def test_numpy_alone_is_left_as_it_is(python: Run) -> None:
    result = python(
        "-c", "import sys, numpy; print('mxnet' in sys.modules, hasattr(numpy, 'PINF'))"
    )
    assert result.stdout == "False False\n"


def test_no_import_hook_is_left_behind(python: Run) -> None:
    program = "import sys; had = list(sys.meta_path); import mxnet; print(had == sys.meta_path)"
    assert python("-c", program).stdout == "True\n"


def test_no_name_that_numpy_has_is_replaced(python: Run) -> None:
    program = (
        "import numpy; had = dict(vars(numpy)); import mxnet; has = dict(vars(numpy))\n"
        "print([name for name in had if has.get(name) is not had[name]])\n"
        "added = has.keys() - had.keys()\n"
        "print(*[name for name in added if not isinstance(has[name], type(numpy))])"
    )
    replaced, added = python("-c", program).stdout.splitlines()
    assert replaced == "[]"
    # Submodules, which NumPy loads at first use, are left out above.
    expected = (
        "Inf NAN NINF NZERO NaN PINF PZERO alltrue compat int mirr msort npv pmt ppmt product pv "
        "rate round_ sometrue"
    )
    assert set(added.split()) == set(expected.split())


def test_the_users_own_use_of_an_old_function_still_warns(python: Run) -> None:
    program = "import mxnet, numpy; numpy.in1d([1], [1])"
    result = python("-W", "error", "-c", program)
    assert result.stderr.splitlines()[-1].startswith("DeprecationWarning: `in1d` is deprecated")


# ---- failures


def test_the_fake_works_with_the_layer_and_not_without(fake: Fake, tmp_path: Path) -> None:
    assert fake(f"import mxnet\n{SAY_WORKS}").stdout == WORKS
    (tmp_path / "mxnet" / "_cy3" / "ndarray.py").unlink()
    without = fake(f"import mxnet\n{SAY_WORKS}")
    assert "has no attribute 'product'" in without.stderr


def test_after_a_failed_import_of_mxnet_the_next_one_has_the_layer(fake: Fake) -> None:
    result = fake(
        "import numpy; numpy.fail_once = True\n"
        "try: import mxnet\n"
        "except ValueError as e: print(e)\n"
        f"import mxnet\n{SAY_WORKS}"
    )
    assert result.stdout == f"first time\n{WORKS}", result.stderr


def test_a_fault_in_the_layer_is_named_and_the_next_import_works(fake: Fake) -> None:
    # A version that is none: the layer must not guess what this NumPy lacks.
    result = fake(
        "import numpy; version = numpy.__version__; numpy.__version__ = 'planted'\n"
        "try: import mxnet\n"
        "except RuntimeError as e: print(e)\n"
        f"numpy.__version__ = version\nimport mxnet\n{SAY_WORKS}"
    )
    first, rest = result.stdout.split("\n", 1)
    assert first.startswith("mxnet needs its NumPy compatibility layer (")
    assert "ndarray.py), which failed: ValueError: not enough values" in first
    assert rest == WORKS


def test_seedlocks_hooks_run_around_the_layer(fake: Fake) -> None:
    result = fake(
        "from seedlock.import_hooks import finder\n"
        "finder.register('mxnet', lambda *_: print('after'), lambda *_: print('before'))\n"
        f"import mxnet\n{SAY_WORKS}"
    )
    assert result.stdout == f"before\nafter\n{WORKS}", result.stderr


# ---- its two halves, on stand-ins for other NumPys


def numpy_of(version: str, lacks: set[str], has: dict[str, object]) -> types.ModuleType:
    """Return a stand-in for another NumPy, made of the names of this one."""
    np: Any = importlib.import_module("numpy")
    module = types.ModuleType("numpy")
    vars(module).update({k: v for k, v in vars(np).items() if k not in lacks})
    vars(module).update(has | {"__version__": version})
    return module


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, lock: Path) -> Callable[[types.ModuleType], Any]:
    """Run the layer on a stand-in NumPy, beside a stand-in mxnet, and return it."""

    def load(numpy: types.ModuleType) -> Any:
        for name in ("mxnet", "mxnet._ctypes", "mxnet._ctypes.symbol", "mxnet._ctypes.ndarray"):
            module = types.ModuleType(name)
            monkeypatch.setitem(sys.modules, name, module)
            parent, _, last = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], last, module)
        vars(module).update(CachedOp=None, NDArrayBase=None, _imperative_invoke=None)
        monkeypatch.setitem(sys.modules, "numpy", numpy)
        spec = importlib.util.spec_from_file_location("layer", lock / "mxnet_numpy_compat.py")
        assert spec is not None and spec.loader is not None
        layer = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(layer)
        return layer

    return load


def arguments() -> list[Any]:
    np: Any = importlib.import_module("numpy")
    return [
        3,
        0.5,
        "relu",
        None,
        np.float32(0.1),
        np.int64(-7),
        np.dtype("float32"),
        (),
        [],
        (2, 3),
        (np.int64(2), 3),
        (np.int64(2),),
        [np.float32(0.1), np.float64(1e-20), np.float16(0.5)],
        (np.bool_(True), np.uint8(255), None, "a"),
        ((np.int64(1), np.int64(2)), [np.float64("inf"), np.float64("nan")]),
        (np.str_("a"), "b'c", True),
    ]


@pytest.mark.parametrize("value", arguments(), ids=repr)
def test_arguments_are_written_as_numpy_1_wrote_them(
    load: Callable[[types.ModuleType], Any], value: object
) -> None:
    np: Any = importlib.import_module("numpy")
    with np.printoptions(legacy="1.25"):
        as_numpy_1 = str(value)
    layer = load(numpy_of(np.__version__, lacks=set(), has={}))
    assert layer.text_of_argument(value) == as_numpy_1


@pytest.mark.parametrize(("version", "replaced"), [("1.26.4", False), ("2.2.6", True)])
def test_only_numpy_2_needs_another_text(
    load: Callable[[types.ModuleType], Any], version: str, replaced: bool
) -> None:
    load(numpy_of(version, lacks=set(), has={}))
    for name in ("mxnet._ctypes.symbol", "mxnet._ctypes.ndarray"):
        assert hasattr(sys.modules[name], "str") is replaced


AGES = {"bool", "int", "product", "in1d", "trapz", "mirr", "compat"}


@pytest.mark.parametrize(
    ("version", "added"),
    [
        ("1.23.5", set()),
        ("1.26.4", {"bool", "int"}),
        ("2.2.6", {"bool", "int", "product", "mirr", "compat"}),
        ("2.4.6", AGES),
    ],
)
def test_only_what_a_numpy_has_dropped_is_added(
    load: Callable[[types.ModuleType], Any], version: str, added: set[str]
) -> None:
    numpy = numpy_of(version, lacks=AGES, has={})
    load(numpy)
    assert AGES & vars(numpy).keys() == added


def test_a_name_that_a_numpy_has_is_kept(load: Callable[[types.ModuleType], Any]) -> None:
    own = object()
    numpy = numpy_of("2.4.6", lacks=set(), has=dict.fromkeys(AGES, own))
    load(numpy)
    assert {vars(numpy)[name] for name in AGES} == {own}


def test_the_added_functions_do_what_the_old_ones_did(
    load: Callable[[types.ModuleType], Any],
) -> None:
    dropped = {"in1d", "trapz", "msort", "alltrue", "sometrue", "product", "round_", "pv"}
    numpy: Any = numpy_of("2.4.6", lacks=dropped, has={})
    load(numpy)
    assert numpy.in1d([[1, 2], [3, 4]], [2, 3]).tolist() == [False, True, True, False]
    assert numpy.in1d([1, 2], [2], invert=True).tolist() == [True, False]
    assert numpy.trapz([1, 2, 3]) == 4
    assert numpy.msort([[3, 1], [2, 4]]).tolist() == [[2, 1], [3, 4]]
    assert (numpy.alltrue([1, 0]), numpy.sometrue([1, 0])) == (False, True)
    assert (numpy.product([2, 3]), numpy.round_(1.26, 1)) == (6, 1.3)
    with pytest.raises(RuntimeError, match=r"numpy\.pv left NumPy in 1\.20; the package numpy-fin"):
        numpy.pv(1, 2, 3)


def test_only_mxnets_warnings_of_age_are_hidden(
    load: Callable[[types.ModuleType], Any],
) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        load(numpy_of("2.2.6", lacks=set(), has={}))
        for text in ("tostring() is deprecated. Use tobytes()", "something else is deprecated"):
            for module in ("mxnet.recordio", "mxnet_of_mine", "users_program"):
                warnings.warn_explicit(text, DeprecationWarning, "file.py", 1, module, registry={})
    # Six were given; hidden is the known one of mxnet itself.
    assert len(seen) == 5
