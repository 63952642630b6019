"""REPRO_LEAST_DRIVER against the driver that is there (seedlock/driver.py)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from seedlock import driver
from tests.image.gpu.conftest import last

BARE = "import json, seedlock; print(json.dumps(seedlock.report()['gaps']))"


@pytest.mark.parametrize(
    ("least", "lock", "status"),
    [("1.0", "refuse", 0), ("9999.0", "refuse", 78), ("9999.0", "warn", 0)],
)
def test_the_driver_is_compared_at_start(
    device: str, inherited: dict[str, str], least: str, lock: str, status: int
) -> None:
    """One that is too old ends the run before user code, or is a gap where that is allowed."""
    if device == "cpu":
        pytest.skip("compares the driver of a GPU")
    if lock == "refuse" and inherited.get("REPRO_LOCK") == "warn":
        pytest.skip("other versions than the locked ones pass here, which lets all else pass too")
    settings = {"REPRO_SEED": "7", "REPRO_LEAST_DRIVER": least, "REPRO_LOCK": lock}
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        env={**inherited, **settings},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stderr
    too_old = f"the NVIDIA driver is {driver.installed()}; this image's CUDA needs {least} or later"
    if status:
        assert done.stdout == ""
        assert too_old in done.stderr
    else:
        assert (too_old in last(done)) is (least == "9999.0")
