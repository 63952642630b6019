"""`seedlock verify` of programs that train on the device."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from seedlock.evaluation import verdict
from tests.image.gpu.conftest import PROGRAMS, needs


def verified(
    folder: Path, inherited: dict[str, str], device: str, program: str, level: str
) -> dict[str, Any]:
    """Verify one of the programs, with what it prints as its result."""
    needs("rich")  # the organiser's half, which is no part of the image
    line = [str(PROGRAMS / f"{program}.py"), device]
    options = ["--json", "--stdout", "--level", level, "--output", str(folder / "verified")]
    done = subprocess.run(
        [sys.executable, "-m", "seedlock", "verify", *options, "--", sys.executable, *line],
        cwd=folder,
        env=inherited,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_race_on_the_device_is_found(
    tmp_path: Path, inherited: dict[str, str], device: str
) -> None:
    """The control: at level seed two runs part at index_add, which is named with its line."""
    found = verified(tmp_path, inherited, device, "race", "seed")

    if device == "cuda":
        assert found["verdicts"]["repeatable"] == verdict.NOT_REPEATABLE
        lines = (PROGRAMS / "race.py").read_text().splitlines()
        number = next(at for at, line in enumerate(lines, 1) if "index_add" in line)
        assert "aten.index_add" in json.dumps(found["bisected"])
        assert f"race.py:{number}" in json.dumps(found["bisected"])


def test_the_lock_cures_it(tmp_path: Path, inherited: dict[str, str], device: str) -> None:
    """At level strict the same program repeats, and hears the seed."""
    found = verified(tmp_path, inherited, device, "race", "strict")

    assert found["verdicts"] == {"repeatable": verdict.REPEATABLE, "seed": verdict.HEARS}
