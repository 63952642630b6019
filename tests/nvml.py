"""A library in NVML's place, since the driver of a GPU can't be had on a machine without one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.interpreter import REPOSITORY


def build(folder: Path, source: str, *macros: str) -> str:
    """Compile what answers as NVML would, or skip the test where there is no C compiler.

    Args:
        folder: where the library is put, for LD_LIBRARY_PATH; it is there.
        source: nvml.c, for seedlock/driver.py, or nvml_devices.c, for all that asks about devices.
        macros: as the source names them, `NAME=value`.

    Returns:
        The folder.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler, which builds what answers in NVML's place")
    target = ["-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1")]
    given = [f"-D{each}" for each in macros]
    subprocess.run([compiler, *given, *target, str(REPOSITORY / "tests" / source)], check=True)
    return str(folder)
