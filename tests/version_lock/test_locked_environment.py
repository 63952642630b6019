"""What is installed is what is locked."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from .conftest import Run


def test_installed_versions_are_the_locked_ones(pins: ModuleType, lock: Path) -> None:
    locked = pins.parse_constraints((lock / "constraints.txt").read_text())
    assert {name: importlib.metadata.version(name) for name in locked} == locked


def test_the_libraries_of_programs_are_installed_as_locked(pins: ModuleType, lock: Path) -> None:
    locked = pins.pins_for(pins.CPU_IMAGE, (lock / "programs.lock").read_text())
    assert {name: importlib.metadata.version(name) for name in locked} == locked


def test_pip_check_has_exactly_the_one_complaint_of_mxnet(python: Run) -> None:
    result = python("-m", "pip", "check", "--disable-pip-version-check")
    assert result.returncode == 1, result.stderr
    assert result.stdout.splitlines() == [
        "mxnet 1.9.1 has requirement numpy<2.0.0,>1.16.0, but you have numpy 2.2.6."
    ]


def test_the_installed_layer_is_the_one_of_the_checkout(lock: Path) -> None:
    spec = importlib.util.find_spec("mxnet")
    assert spec is not None and spec.origin is not None
    installed = Path(spec.origin).parent / "_cy3" / "ndarray.py"
    assert installed.read_bytes() == (lock / "mxnet_numpy_compat.py").read_bytes()


def test_no_earlier_form_of_the_layer_is_left_in_the_environment() -> None:
    assert importlib.util.find_spec("mxnet_numpy_compat") is None
    packages = Path(sysconfig.get_path("purelib"))
    assert list(packages.glob("*mxnet*.pth")) == []
