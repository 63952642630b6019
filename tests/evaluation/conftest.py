"""bubblewrap, for the tests of sandboxes."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.image import engine


@pytest.fixture(name="bwrap", scope="session")
def bwrap_fixture() -> str:
    """The path of bubblewrap, installed if it was not there and this is root."""
    found = shutil.which("bwrap")
    if found is None:
        # Several processes of the tests may come here at a time, and apt-get is one's alone.
        with (Path(tempfile.gettempdir()) / "seedlock-tests-bubblewrap.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                engine.install_missing(("bwrap", "bubblewrap"))
            except engine.EngineError:
                pytest.skip("bubblewrap is not installed, and only root can install it")
        found = shutil.which("bwrap")
    assert found is not None
    return found
