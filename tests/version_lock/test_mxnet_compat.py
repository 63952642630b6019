"""MXNet's compatibility layer: nothing before mxnet, everything around it, never in silence."""

from __future__ import annotations

import importlib
import shutil
import sys
import types
import venv
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import ROOT, Run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

LAYER = ("mxnet_numpy_finder.py", "mxnet_numpy_compat.py", "mxnet_numpy_compat.pth")

# Says whether the layer's two halves were there when an mxnet was executed and once it was.
FAKE_MXNET = {
    "__init__.py": (
        "import os, numpy\n"
        "before = numpy.product((2, 3)) == 6\n"
        "if os.environ.get('FAIL'): del os.environ['FAIL']; raise ValueError('first time')\n"
        "from mxnet._ctypes import ndarray, symbol\n"
    ),
    "_ctypes/__init__.py": "",
    "_ctypes/ndarray.py": "def text(value): return str(value)\n",
    "_ctypes/symbol.py": "def text(value): return str(value)\n",
}
SAY_WORKS = (
    "import numpy\n"
    "print(mxnet.before, mxnet._ctypes.ndarray.text((numpy.int64(2), 3)),"
    " mxnet._ctypes.symbol.text((numpy.int64(2), 3)))\n"
)
WORKS = "True (2, 3) (2, 3)\n"


@pytest.fixture
def fake(tmp_path: Path, python: Run) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in an interpreter whose mxnet is the small fake above."""
    for name, text in FAKE_MXNET.items():
        path = tmp_path / "mxnet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return python("-c", program, PYTHONPATH=f"{tmp_path}:{ROOT}", **variables)

    return run


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory, lock: Path) -> tuple[Path, Path]:
    """The interpreters of two environments with nothing in them, the second has the layer."""
    folders = [tmp_path_factory.mktemp(name) for name in ("bare", "layered")]
    for folder in folders:
        venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folders[1].glob("lib/python3.*/site-packages")
    for name in LAYER:
        shutil.copy(lock / name, packages)
    bare, layered = (folder / "bin" / "python" for folder in folders)
    return bare, layered


# ---- an interpreter that does not import mxnet


def test_the_start_of_python_loads_the_finder_and_no_module_more(
    twins: tuple[Path, Path], python: Run
) -> None:
    program = "import sys; print(*sys.modules); print(len(sys.meta_path))"
    bare, layered = (python("-c", program, executable=twin).stdout.splitlines() for twin in twins)
    assert set(layered[0].split()) - set(bare[0].split()) == {"mxnet_numpy_finder"}
    assert "site" in bare[0].split()
    # One finder although a virtual environment's .pth lines run twice.
    assert int(layered[1]) == int(bare[1]) + 1


def test_numpy_alone_gets_no_layer(python: Run) -> None:
    result = python(
        "-c",
        "import sys, numpy; print('mxnet_numpy_compat' in sys.modules, hasattr(numpy, 'product'))",
    )
    assert result.stdout == "False False\n"


def test_without_mxnet_the_error_is_pythons_own(twins: tuple[Path, Path], python: Run) -> None:
    bare, layered = (python("-c", "import mxnet", executable=twin) for twin in twins)
    assert layered.returncode == 1
    assert layered.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'mxnet'"
    assert bare.stderr == layered.stderr


def test_asking_whether_mxnet_is_there_does_not_load_numpy(fake: Any) -> None:
    result = fake(
        "import sys; from importlib.util import find_spec\n"
        "print(find_spec('mxnet') is not None, 'numpy' in sys.modules)"
    )
    assert result.stdout == "True False\n"


def test_a_folder_that_happens_to_be_called_mxnet_needs_no_numpy(
    twins: tuple[Path, Path], python: Run, tmp_path: Path
) -> None:
    (tmp_path / "mxnet").mkdir()
    program = "import mxnet; print(list(mxnet.__path__))"
    result = python("-c", program, executable=twins[1], PYTHONPATH=str(tmp_path))
    assert result.stdout == f"{[str(tmp_path / 'mxnet')]}\n", result.stderr


# ---- mxnet itself


@pytest.mark.parametrize("options", [[], ["-I"], ["-E", "-s"], ["-W", "error"]], ids=str)
@pytest.mark.parametrize("seed", [{}, {"REPRO_SEED": "7"}], ids=["unset", "seed"])
def test_mxnet_is_imported_without_a_word(
    python: Run, options: list[str], seed: dict[str, str]
) -> None:
    program = "import mxnet; print(mxnet.nd.array([1.5]).sum().asscalar())"
    result = python(*options, "-c", program, **seed)
    assert (result.returncode, result.stdout, result.stderr) == (0, "1.5\n", "")


def test_without_the_layer_mxnet_can_not_be_imported(python: Run) -> None:
    remove = "import sys, mxnet_numpy_finder; sys.meta_path.remove(mxnet_numpy_finder)"
    result = python("-c", f"{remove}; import mxnet")
    assert result.returncode == 1
    assert "`np.PZERO` was removed" in result.stderr


def test_no_name_that_numpy_has_is_replaced(python: Run) -> None:
    program = (
        "import numpy; had = dict(vars(numpy)); import mxnet; has = dict(vars(numpy))\n"
        "print([name for name in had if has.get(name) is not had[name]])\n"
        "added = has.keys() - had.keys()\n"
        "print(*[name for name in added if not isinstance(has[name], type(numpy))])"
    )
    result = python("-c", program)
    replaced, added = result.stdout.splitlines()
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


# ---- beside other finders

SEEDLOCK = """
from seedlock.import_hooks import finder
finder.register("mxnet", lambda module: print("after"), lambda: print("before"))
"""
# What a hook library may do as well: ask only the finders behind its own.
BEHIND_ONLY = """
import sys
class Behind:
    def find_spec(self, name, path=None, target=None):
        if name != "mxnet":
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1:]:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                execute = spec.loader.exec_module
                def exec_module(module):
                    print("before"); execute(module); print("after")
                spec.loader.exec_module = exec_module
                return spec
finder = Behind()
sys.meta_path.insert(0, finder)
"""
MOVE_BEHIND_OURS = """
import sys
import mxnet_numpy_finder
sys.meta_path.remove(finder)
sys.meta_path.insert(sys.meta_path.index(mxnet_numpy_finder) + 1, finder)
"""


@pytest.mark.parametrize("other", [SEEDLOCK, BEHIND_ONLY], ids=["seedlock", "behind-only"])
@pytest.mark.parametrize("place", ["", MOVE_BEHIND_OURS], ids=["before-ours", "behind-ours"])
def test_another_finder_may_stand_on_either_side(fake: Any, other: str, place: str) -> None:
    result = fake(f"{other}{place}\nimport mxnet\n{SAY_WORKS}")
    assert result.stdout == f"before\nafter\n{WORKS}", result.stderr


# ---- failures


def test_after_a_failed_import_of_mxnet_the_next_one_has_the_layer(fake: Any) -> None:
    result = fake(
        f"try: import mxnet\nexcept ValueError as e: print(e)\nimport mxnet\n{SAY_WORKS}", FAIL="1"
    )
    assert result.stdout == f"first time\n{WORKS}", result.stderr


def test_without_numpy_the_import_error_says_so_and_the_next_import_works(fake: Any) -> None:
    result = fake(
        "import sys; sys.modules['numpy'] = None\n"
        "try: import mxnet\nexcept ImportError as e: print(e.name, e)\n"
        f"del sys.modules['numpy']\nimport mxnet\n{SAY_WORKS}"
    )
    first, rest = result.stdout.split("\n", 1)
    assert first.startswith(
        "mxnet mxnet needs its NumPy compatibility layer, and "
        "mxnet_numpy_compat.add_numpy_names failed: ModuleNotFoundError:"
    )
    assert "numpy" in first
    assert rest == WORKS


@pytest.mark.parametrize("step", ["add_numpy_names", "_numpy_version"])
def test_a_fault_in_the_layer_is_an_import_error(fake: Any, step: str) -> None:
    result = fake(
        f"import mxnet_numpy_compat as layer; good = layer.{step}\n"
        f"def {step}(): raise RuntimeError('planted')\n"
        f"layer.{step} = {step}\n"
        "try: import mxnet\nexcept ImportError as e: print(e)\n"
        f"layer.{step} = good\nimport mxnet\n{SAY_WORKS}"
    )
    first, rest = result.stdout.split("\n", 1)
    assert first.endswith("add_numpy_names failed: RuntimeError: planted")
    assert rest == WORKS


def test_a_lost_module_of_the_layer_is_an_import_error(
    twins: tuple[Path, Path], python: Run, tmp_path: Path
) -> None:
    _, layered = twins
    (tmp_path / "mxnet.py").write_text("")
    (module,) = layered.parents[1].glob("lib/python3.*/site-packages/mxnet_numpy_compat.py")
    hidden = module.rename(tmp_path / "hidden")
    try:
        result = python("-c", "import mxnet", executable=layered, PYTHONPATH=str(tmp_path))
    finally:
        hidden.rename(module)
    assert result.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: No module named 'mxnet_numpy_compat'"
    )


# ---- its two halves


@pytest.fixture
def layer() -> Any:
    return importlib.import_module("mxnet_numpy_compat")


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
def test_arguments_are_written_as_numpy_1_wrote_them(layer: Any, value: object) -> None:
    np: Any = importlib.import_module("numpy")
    with np.printoptions(legacy="1.25"):
        as_numpy_1 = str(value)
    assert layer.text_of_argument(value) == as_numpy_1


def test_numpy_2_writes_them_otherwise(layer: Any) -> None:
    np: Any = importlib.import_module("numpy")
    assert str((np.int64(2), 3)) == "(np.int64(2), 3)"
    assert layer.text_of_argument((np.int64(2), 3)) == "(2, 3)"


def numpy_of(version: str, lacks: set[str], has: dict[str, object]) -> types.ModuleType:
    """Return a stand-in for another NumPy, made of the names of this one."""
    np: Any = importlib.import_module("numpy")
    module = types.ModuleType("numpy")
    vars(module).update({k: v for k, v in vars(np).items() if k not in lacks})
    vars(module).update(has | {"__version__": version})
    return module


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
    layer: Any, monkeypatch: pytest.MonkeyPatch, version: str, added: set[str]
) -> None:
    module = numpy_of(version, lacks=AGES, has={})
    monkeypatch.setitem(sys.modules, "numpy", module)
    layer.add_numpy_names()
    assert AGES & vars(module).keys() == added


def test_a_name_that_a_numpy_has_is_kept(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = object()
    module = numpy_of("2.4.6", lacks=set(), has=dict.fromkeys(AGES, own))
    monkeypatch.setitem(sys.modules, "numpy", module)
    layer.add_numpy_names()
    assert {vars(module)[name] for name in AGES} == {own}


def test_the_added_functions_do_what_the_old_ones_did(
    layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = {"in1d", "trapz", "msort", "alltrue", "sometrue", "product", "round_", "pv"}
    module: Any = numpy_of("2.4.6", lacks=dropped, has={})
    monkeypatch.setitem(sys.modules, "numpy", module)
    layer.add_numpy_names()
    assert module.in1d([[1, 2], [3, 4]], [2, 3]).tolist() == [False, True, True, False]
    assert module.in1d([1, 2], [2], invert=True).tolist() == [True, False]
    assert module.trapz([1, 2, 3]) == 4
    assert module.msort([[3, 1], [2, 4]]).tolist() == [[2, 1], [3, 4]]
    assert (module.alltrue([1, 0]), module.sometrue([1, 0])) == (False, True)
    assert (module.product([2, 3]), module.round_(1.26, 1)) == (6, 1.3)
    with pytest.raises(RuntimeError, match=r"numpy\.pv left NumPy in 1\.20; the package numpy-fin"):
        module.pv(1, 2, 3)


def test_only_mxnets_warnings_of_age_are_hidden(layer: Any) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        layer.silence_age_warnings()
        for text in ("tostring() is deprecated. Use tobytes()", "something else is deprecated"):
            for module in ("mxnet.recordio", "mxnet_of_mine", "users_program"):
                warnings.warn_explicit(text, DeprecationWarning, "file.py", 1, module, registry={})
    assert len(seen) == 5
