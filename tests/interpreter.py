"""Real Python processes for the tests: start-up can't be tested inside the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


class Done:
    """What a process left behind.

    Attributes:
        status: exit status.
        out: standard output.
        err: standard error.
    """

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def lines(self) -> list[str]:
        """Lines of standard output."""
        return self.out.splitlines()

    def json(self) -> Any:
        """Standard output's last line, read as JSON."""
        return json.loads(self.lines[-1])


FRAMEWORKS = (
    "REPRO_", "_SEEDLOCK", "JAX_", "XLA_", "MXNET_", "CUBLAS_", "TF_", "OPENBLAS_",
)  # fmt: skip
"""Beginnings of names of variables that the machine may have set and that a test sets itself."""


def environment(**variables: str) -> dict[str, str]:
    """Return this environment without what seedlock sets, with `variables` added."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FRAMEWORKS) and name not in ("PYTHONHASHSEED", "PYTHONPATH")
    }
    return {**clean, "TF_CPP_MIN_LOG_LEVEL": "2", **variables}


def run(
    arguments: list[str],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
    check: bool = True,
    **variables: str,
) -> Done:
    """Run a command in a clean environment with `variables` added.

    Args:
        arguments: the command.
        stdin: text for standard input; none by default.
        cwd: folder to run in.
        check: fail the test unless the exit status is 0.
        variables: environment variables.
    """
    done = subprocess.run(
        arguments,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(**variables),
        timeout=600,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return Done(done.returncode, done.stdout, done.stderr)


def python(
    *arguments: str,
    executable: str = sys.executable,
    stdin: str | None = None,
    cwd: Path | None = None,
    check: bool = True,
    **variables: str,
) -> Done:
    """Run this virtual environment's Python, as `run` does."""
    return run([executable, *arguments], stdin=stdin, cwd=cwd, check=check, **variables)


def reports(folder: Path) -> list[dict[str, Any]]:
    """Return the reports in a folder, the oldest first."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.name.split("-")[1])
    return [json.loads(file.read_text()) for file in files]
