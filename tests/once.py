"""Runs that tests of several modules look at, made once, by whichever of pytest's processes comes
first: the others wait for it and read what it wrote."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from typing import Any

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """Return what `make` returns, which has a form in JSON, made once in a run of pytest.

    Args:
        factory: of the process's temporary folders; those of all processes lie in one.
        name: of the file that holds it there.
        make: makes it.
    """
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(json.dumps(make()))
        return json.loads(made.read_text())
