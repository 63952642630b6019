"""A sandbox as an ordinary user makes it: seen from root, who can become one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.evaluation.sealing.course import HERE
from tests.interpreter import REPOSITORY

PYTHON = "/usr/bin/python3"
"""One that another user can read; what seals a run needs the standard library only."""

PROGRAM = """
import json, os, sys, tempfile
from pathlib import Path
from course import Course
from seedlock.evaluation.sealing import guarantees, sealed
sealed.LOOK = 0.0
course = Course(Path(tempfile.mkdtemp(dir=sys.argv[1])))
made, result = course.attempts("/usr/bin/python3", accept=["memory", "processors"])
print(json.dumps([result, guarantees.lacking(made.guarantees())]))
"""


def test_an_ordinary_user_keeps_the_same_promises(bwrap: str) -> None:
    """Namespaces of its own give a user what they give root, and its processes are its own."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else; test_bubblewrap.py runs as this user")
    if not os.access(PYTHON, os.X_OK):
        pytest.skip(f"no {PYTHON}, which another user may run wherever root's own Python lies")
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        shutil.copytree(REPOSITORY / "seedlock", folder / "seedlock")
        for name in ("course.py", "attempts.py"):
            shutil.copy(HERE / name, folder)
        (folder / "runs").mkdir()
        os.chown(folder / "runs", 1234, 1234)
        words = ["setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups"]
        ended = subprocess.run(
            [*words, PYTHON, "-B", "-c", PROGRAM, str(folder / "runs")],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "HOME": "/nonexistent"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)

    assert ended.returncode == 0, ended.stderr
    result, lacking = json.loads(ended.stdout.splitlines()[-1])
    assert lacking == ["memory", "processors"]
    assert (result["status"]["Uid"], result["network"]["interfaces"]) == ("1234", ["lo"])
    assert set(result["rights"].values()) <= {"EPERM", "EINVAL", "EACCES"}
    assert (result["read"]["secret"], result["kill"]) == ("ENOENT", "ESRCH")
    assert result["forks"][1] == "EAGAIN"
