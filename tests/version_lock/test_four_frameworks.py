"""The checks of version-lock/checks/ that train, run as the README says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run


def test_68_of_71_uses_of_mxnet_work_and_the_other_three_are_known(lock: Path, python: Run) -> None:
    result = python(lock / "checks" / "mx_use.py", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(result.stdout)
    assert found["passed"] == 68
    assert set(found["expected_failures"]) == {
        "numpy_asarray_of_nd",
        "numpy_asarray_of_mx_np",
        "numpy_array_copy_of_mx_np",
    }
    assert (found["unexpected_failures"], found["works_after_all"]) == ({}, [])


def test_mx_use_fails_when_a_use_does(lock: Path, python: Run, tmp_path: Path) -> None:
    # Without its `str`, the layer still lets mxnet be imported; what C then can't read must show.
    check = lock / "checks" / "mx_use.py"
    program = tmp_path / "without_text.py"
    program.write_text(
        "import runpy, sys\n"
        "from mxnet._ctypes import ndarray, symbol\n"
        "del ndarray.str, symbol.str\n"
        "sys.argv = ['mx_use.py', '--json']\n"
        f"runpy.run_path({str(check)!r}, run_name='__main__')\n"
    )
    result = python(program)
    assert result.returncode == 1, result.stderr
    found = json.loads(result.stdout)
    assert "nd_operator_shape_with_numpy_integers" in found["unexpected_failures"]
    assert "gluon_initializers" in found["unexpected_failures"]


def test_four_frameworks_train_in_one_process(lock: Path, python: Run) -> None:
    result = python(lock / "checks" / "combo.py", "mxnet,jax,torch,tensorflow")
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith("ok: mxnet ")
    assert line.count("= import ") == 4


def test_combo_names_an_unknown_framework(lock: Path, python: Run) -> None:
    result = python(lock / "checks" / "combo.py", "torch,caffe")
    assert result.returncode == 2
    assert "ORDER names caffe; allowed: torch, tensorflow, mxnet, jax" in result.stderr
