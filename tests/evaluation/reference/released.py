"""Another release of a framework beside the locked one: a wheel, by its hash, and locks with it.

It is fetched once per checkout, from the package index into `build/releases/`. Those of PyTorch and
TensorFlow are hundreds of megabytes, so that others stand for them (releases/README.md).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.interpreter import REPOSITORY

PLACE = REPOSITORY / "build" / "releases"

LOCKS = Path(__file__).with_name("releases")


def release(name: str, module: str | None = None) -> Path:
    """Return a folder for PYTHONPATH that holds a release.

    Args:
        name: that of its lock in `releases/`, as `scikit-learn-1.9.0`.
        module: is imported once, so that what it needs is compiled; None for nothing.

    Raises:
        AssertionError: pip could not fetch it, or it can't be imported; the text is theirs.
    """
    PLACE.mkdir(parents=True, exist_ok=True)
    folder = PLACE / name
    with (PLACE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = PLACE / f"{name}.new"
            options = (
                "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
                "--only-binary", ":all:", "--no-compile", "--upgrade", "--target", str(new),
            )  # fmt: skip
            _python("-m", "pip", "install", *options, "--requirement", str(LOCKS / f"{name}.lock"))
            if module:
                _python("-c", f"import {module}", PYTHONPATH=str(new))
            new.rename(folder)
    return folder


def locks(folder: Path, pin: str, other: str) -> dict[str, str]:
    """Write the locks of this checkout with another release in them.

    Args:
        folder: to be made, for `--locks`.
        pin: as the locks have it, `keras==3.15.1`.
        other: in its place; the same for a copy.

    Returns:
        The variable by which a run compares with them.
    """
    folder.mkdir()
    for name in ("cpu.lock", "programs.lock", "constraints.txt"):
        lines = (REPOSITORY / "version-lock" / name).read_text().splitlines(keepends=True)
        changed = [f"{other}{line[len(pin) :]}" if line.startswith(pin) else line for line in lines]
        (folder / name).write_text("".join(changed))
    return {"REPRO_LOCK_FILE": str(folder / "constraints.txt")}


def _python(*words: str, **variables: str) -> None:
    known = {each: os.environ[each] for each in os.environ if each != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, *words], env={**known, **variables}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
