"""Starts of TensorFlow, Keras and JAX that take half the time, for tests of what comes after.

Where they are installed, TensorFlow imports JAX for TFLite, and Keras scikit-learn for its
wrappers. Tests that start these frameworks often do without; the first run of each program of
authors and the tests of each adapter at level strict have both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def without(*names: str) -> dict[str, Any]:
    """Return variables under which `jax`, `sklearn` or both can't be imported."""
    folders = [str(Path(__file__).parent / f"of_{name}") for name in names]
    return {"PYTHONPATH": os.pathsep.join(folders)}


def compiled_before(folder: Path) -> dict[str, Any]:
    """Return variables under which JAX keeps what it compiled in a folder, for the next process.

    https://docs.jax.dev/en/latest/persistent_compilation_cache.html
    """
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
