"""bubblewrap, for the tests of sandboxes; a small disk, for those of a full one."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
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


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "seedlock", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
