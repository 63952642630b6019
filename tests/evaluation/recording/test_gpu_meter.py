"""gpu_meter.py: energy and time of GPUs, and nothing where there is none.

NVML's answers come from a library of this test's own, as in tests/test_driver.py: its interface is
real, its numbers are not. On a GPU, tests/image/gpu/test_usage.py looks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedlock.errors import BadRecord
from seedlock.evaluation.recording.gpu_meter import Meter, given
from seedlock.evaluation.recording.record import parse
from seedlock.evaluation.recording.show_text import rows
from tests.interpreter import python, run
from tests.nvml import build

MEASURED = """
import json, pynvml, sys, time
from seedlock.evaluation.recording import gpu_meter
gpu_meter.PERIOD = 0.0
gpus = None if len(sys.argv) < 2 else sys.argv[1].split(",")
began = time.monotonic()
meter = gpu_meter.Meter(gpus)
time.sleep(0.05)
meter.look()
time.sleep(0.05)
taken = meter.taken()
print(json.dumps({"wall": time.monotonic() - began, **taken}))
"""

Measure = Callable[..., Any]


@pytest.fixture(name="nvml", scope="module")
def _nvml(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an NVML that answers as variables say."""
    return build(tmp_path_factory.mktemp("nvml"), "nvml_devices.c")


@pytest.fixture(name="measure")
def _measure(nvml: str) -> Measure:
    """Measure two twentieths of a second."""

    def measure(*words: str, **variables: int) -> Any:
        told: dict[str, Any] = {name: str(value) for name, value in variables.items()}
        return python("-c", MEASURED, *words, LD_LIBRARY_PATH=nvml, **told).json()

    return measure


def test_without_accounting_time_is_what_samples_say(measure: Measure) -> None:
    """Each look counts for the time since the one before: busy in one half, idle in the other, on
    two GPUs."""
    for shares in ({"SHARE": 100, "SHARE_LATER": 0}, {"SHARE": 0, "SHARE_LATER": 100}):
        taken = measure(COUNT=2, **shares)

        assert taken["gpu_by"] == "utilisation"
        assert 2 * 0.049 <= taken["gpu_s"] <= 2 * (taken["wall"] - 0.049)
        assert taken["energy_j"] == 2.0


def test_with_accounting_time_is_that_of_processes_that_came_meanwhile(measure: Measure) -> None:
    """Four seconds of which a half was busy, on each of two GPUs; not the process from before."""
    taken = measure(COUNT=2, ACCOUNTING=2, SHARE=100)

    assert (taken["gpu_s"], taken["gpu_by"]) == (4.0, "accounting")


@pytest.mark.parametrize(
    "unknown", [{"ACCOUNTING": 1}, {"ACCOUNTING": 2, "NO_PERCENT": 1}], ids=["off", "unavailable"]
)
def test_accounting_that_does_not_know_all_is_not_taken(
    measure: Measure, unknown: dict[str, int]
) -> None:
    """Off on one of the GPUs, or without the share of time: samples are."""
    assert measure(COUNT=2, SHARE=50, **unknown)["gpu_by"] == "utilisation"


def test_only_the_runs_own_gpus_count(measure: Measure) -> None:
    """By number or id; one that is not there is none."""
    one = measure("1", COUNT=2, ACCOUNTING=2)
    by_id = measure("GPU-1", COUNT=2, ACCOUNTING=2)
    absent = measure("7", COUNT=2, ACCOUNTING=2)

    assert (one["gpu_s"], one["energy_j"]) == (2.0, 1.0)
    assert (by_id["gpu_s"], by_id["energy_j"]) == (2.0, 1.0)
    assert "gpu_s" not in absent and absent["energy_j"] is None


def test_what_nvml_does_not_say_is_absent_and_not_zero(measure: Measure) -> None:
    """No device, no share of time (as with MIG), no counter of energy."""
    none = measure(COUNT=0)
    parts = measure(COUNT=1, NO_SHARE=1)
    old = measure(COUNT=1, NO_ENERGY=1, SHARE=100)

    assert "gpu_s" not in none and "gpu_by" not in none and none["energy_j"] is None
    assert "gpu_s" not in parts and parts["energy_j"] == 1.0
    assert old["gpu_s"] > 0 and old["energy_j"] is None


def test_a_run_without_gpus_takes_none() -> None:
    """Whatever the machine has."""
    meter = Meter(())
    meter.look()

    assert meter.taken() == {"energy_j": None}


@pytest.mark.parametrize(
    ("sealed", "variables", "gpus"),
    [
        (None, {}, None),
        (None, {"CUDA_VISIBLE_DEVICES": "1, GPU-a"}, ["1", "GPU-a"]),
        (None, {"CUDA_VISIBLE_DEVICES": ""}, []),
        (None, {"CUDA_VISIBLE_DEVICES": "0,-1,2"}, ["0"]),
        ((), {"CUDA_VISIBLE_DEVICES": "1"}, []),
        (("2",), {}, ["2"]),
    ],
)
def test_which_gpus_a_run_gets(
    sealed: tuple[str, ...] | None, variables: dict[str, str], gpus: list[str] | None
) -> None:
    """A sealed run those that its container was given; any other those that CUDA shows it."""
    assert given(sealed, variables) == gpus


def test_a_record_has_gpu_time_and_is_shown_with_it(nvml: str, tmp_path: Path) -> None:
    """With where it is from; the record fits its schema, as one without these keys does, which all
    had before. Each of the two keys needs the other."""
    (tmp_path / "train.py").write_text("print('trained')\n")
    words = [sys.executable, "-m", "seedlock", "run", "--record", "run.json", "--", sys.executable]
    told: dict[str, Any] = {"LD_LIBRARY_PATH": nvml, "COUNT": "1", "ACCOUNTING": "1"}
    done = run([*words, "train.py"], cwd=tmp_path, check=False, REPRO_SEED="7", **told)

    assert done.status == 0, done.err
    raw = (tmp_path / "run.json").read_bytes()
    record = parse("run.json", raw)
    assert (record["usage"]["gpu_s"], record["usage"]["gpu_by"]) == (2.0, "accounting")
    assert "2.0 s of GPUs (by accounting)" in dict(rows(record))["took"]
    record["usage"].pop("gpu_s")
    with pytest.raises(BadRecord, match="gpu_s"):
        parse("run.json", json.dumps(record).encode())
    record["usage"].pop("gpu_by")
    assert "GPUs (by" not in dict(rows(parse("run.json", json.dumps(record).encode())))["took"]
