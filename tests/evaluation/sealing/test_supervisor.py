"""supervisor.py, and a sandbox ends with seedlock; tests/image/test_killed.py has containers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seedlock.evaluation.sealing import supervisor
from tests.evaluation.sealing import killed

SAYS = "from seedlock.evaluation.sealing import supervisor; print(supervisor.identity())"


def test_a_process_that_ended_is_gone_and_this_one_is_not() -> None:
    """The number alone does not say so: another process may have it by now."""
    ended = subprocess.run(
        [sys.executable, "-c", SAYS], capture_output=True, text=True, check=True
    ).stdout.strip()
    own = supervisor.identity()
    surroundings, _, _ = own.rpartition(":")

    assert supervisor.gone(ended)
    assert not supervisor.gone(own)
    assert supervisor.gone(f"{surroundings}:1")  # its number is now this process's


@pytest.mark.parametrize("place", [0, 1])
def test_of_others_nothing_is_known(place: int) -> None:
    """Another machine or boot, another namespace; or no label of ours."""
    parts = supervisor.identity().split(":")
    parts[place], parts[2] = "other", "999999999"

    assert not supervisor.gone(":".join(parts))
    assert not supervisor.gone("")
    assert not supervisor.gone("a:b:c")


def test_a_killed_seedlock_leaves_no_sandbox(bwrap: str, tmp_path: Path) -> None:
    """KILL, which nobody can catch: the program in the sandbox ends too."""
    name = f"waits-{os.urandom(4).hex()}.py"
    tmp_path.chmod(0o755)
    (tmp_path / name).write_text(killed.WAITS)
    words = ("run", "--seed", "7", "--record", "r.json", "--sealed", "--accept", "memory")
    process = killed.start(
        tmp_path, *words, "--accept", "processors", "--", sys.executable, name,
        begun=tmp_path / "r" / "run" / "output" / "begun",
    )  # fmt: skip
    assert len(killed.program(name)) > 1

    process.kill()
    process.wait()

    end = time.monotonic() + killed.LONG
    while killed.program(name) and time.monotonic() < end:
        time.sleep(0.05)
    assert killed.program(name) == []
