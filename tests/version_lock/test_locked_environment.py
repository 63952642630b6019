"""What is installed is what is locked."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from .conftest import Run


def test_installed_versions_are_the_locked_ones(pins: ModuleType, lock: Path) -> None:
    locked = pins.parse_constraints((lock / "constraints.txt").read_text())
    assert {name: importlib.metadata.version(name) for name in locked} == locked


def test_pip_check_has_exactly_the_one_complaint_of_mxnet(python: Run) -> None:
    result = python("-m", "pip", "check", "--disable-pip-version-check")
    assert result.returncode == 1, result.stderr
    assert result.stdout.splitlines() == [
        "mxnet 1.9.1 has requirement numpy<2.0.0,>1.16.0, but you have numpy 2.2.6."
    ]


@pytest.mark.parametrize(
    "name", ["mxnet_numpy_finder.py", "mxnet_numpy_compat.py", "mxnet_numpy_compat.pth"]
)
def test_the_installed_layer_is_the_one_of_the_checkout(lock: Path, name: str) -> None:
    spec = importlib.util.find_spec("mxnet_numpy_compat")
    assert spec is not None and spec.origin is not None
    assert Path(spec.origin).with_name(name).read_bytes() == (lock / name).read_bytes()
