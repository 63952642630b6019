"""Programs that tests need from Debian: installed where they are missing and this is root."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

LOCK = Path(tempfile.gettempdir()) / "seedlock-tests-apt.lock"
"""Two test runs on one machine don't install at the same time."""


def installed(find: Callable[[], Found | None], *packages: str) -> Found | None:
    """Return what `find` finds, after the packages were installed if it found nothing at first.

    Args:
        find: looks for the program.
        packages: Debian's names.

    Returns:
        None where it is missing, and this is not root on Debian.

    Raises:
        CalledProcessError: apt-get could not install them.
    """
    found = find()
    if found is not None or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if find() is None:
            apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run([*apt, "update"], check=True, env=quiet)
            subprocess.run(
                [*apt, "install", "-y", "--no-install-recommends", *packages], check=True, env=quiet
            )
    return find()
