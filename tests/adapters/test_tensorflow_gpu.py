"""A TensorFlow for CUDA that computes on the CPU beside a GPU: a gap, which costs nothing to know.

The build in these tests is without CUDA and says otherwise, where `is_cuda_build` is set; one that
has it is looked at in tests/image/test_cuda.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.absent import without
from tests.interpreter import python
from tests.nvml import build

PROGRAM = """
import json, os
import seedlock
import tensorflow as tf
from tensorflow.python.eager import context

def gaps():
    gaps = seedlock.report()["libraries"]["tensorflow"]["gaps"]
    return [gap for gap in gaps if "GPU" in gap]

os.environ.pop("CUDA_VISIBLE_DEVICES", None)
built = tf.sysconfig.get_build_info()
built["is_cuda_build"] = True
said = {"idle": gaps(), "devices": context.context()._physical_devices}
tf.constant(1)
said["computed"] = gaps()
said["asked again"] = gaps()
for devices in ("-1", "", " -1, 0", "1", "0,-1"):
    os.environ["CUDA_VISIBLE_DEVICES"] = devices
    said[devices] = gaps()
built["is_cuda_build"] = False
said["built without"] = gaps()
print(json.dumps(said))
"""


@pytest.fixture(name="said", scope="module")
def _said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a program's reports say beside two GPUs, by what it has done or set."""
    folder: Path = tmp_path_factory.mktemp("nvml")
    beside: dict[str, Any] = {"LD_LIBRARY_PATH": build(folder, "nvml_devices.c"), "COUNT": "2"}
    beside.update(without("jax", "sklearn"))
    return python("-c", PROGRAM, cwd=folder, REPRO_SEED="7", **beside).json()


def test_computing_on_the_cpu_beside_a_gpu_is_a_gap(said: Any) -> None:
    """It is one gap with the driver's number, however often a report is asked for; also where the
    program chose one of the GPUs."""
    (gap,) = said["computed"]

    assert gap.startswith("TensorFlow is built for CUDA and the driver tells 2 GPU(s), but ")
    assert said["asked again"] == said["1"] == said["0,-1"] == [gap]


def test_a_program_that_has_not_asked_for_devices_is_not_made_to(said: Any) -> None:
    """Looking would start CUDA before the program has said how: nothing is looked for or told."""
    assert said["devices"] is None
    assert said["idle"] == []


def test_a_gpu_that_nobody_wanted_is_no_gap(said: Any) -> None:
    """Hidden by CUDA's variable, or of a build without CUDA."""
    cases = ("-1", "", " -1, 0", "built without")

    assert {case: said[case] for case in cases} == {case: [] for case in cases}
