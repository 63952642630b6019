"""What the tests of version-lock/ share: its scripts as modules, and clean interpreters."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def lock() -> Path:
    """The folder version-lock/."""
    return ROOT / "version-lock"


@pytest.fixture(scope="session")
def pins(lock: Path) -> ModuleType:
    """version-lock/checks/pins.py; its folder is no package, so no import statement reaches it."""
    spec = importlib.util.spec_from_file_location("pins", lock / "checks" / "pins.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def python() -> Run:
    """Run an interpreter that no variable of the test run reaches, ours unless told otherwise."""

    def run(
        *arguments: str | Path,
        executable: str | Path = sys.executable,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("REPRO_", "PYTHON"))
        }
        return subprocess.run(
            [executable, *arguments],
            cwd=ROOT,
            env=inherited | variables,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run
