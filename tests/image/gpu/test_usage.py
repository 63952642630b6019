"""What a record says that a run took of a GPU (seedlock/evaluation/recording/gpu_meter.py)."""

from __future__ import annotations

import threading
import time

from seedlock.evaluation.recording import gpu_meter
from tests.image.gpu.conftest import Run, needs

BUSY = 6.0
"""Seconds that the program computes: several of NVML's sample periods."""


def test_time_and_energy_of_a_busy_gpu_are_seen(run: Run, device: str) -> None:
    """At least a quarter of the time in which the program computes, and no more than each GPU
    had; joules too. By accounting where that is on, else by samples."""
    needs("torch")
    meter, ended = gpu_meter.Meter(), threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            meter.look()

    looking = threading.Thread(target=look)
    began = time.monotonic()
    looking.start()
    try:
        run("busy", str(BUSY if device == "cuda" else 0))
    finally:
        ended.set()
        looking.join()
    taken = meter.taken()
    wall = time.monotonic() - began

    if device == "cpu":
        return  # the program was tried; whether there is a GPU beside is not this test's matter
    devices = len(gpu_meter.devices(None)[1])
    assert taken["gpu_by"] in (gpu_meter.ACCOUNTING, gpu_meter.UTILISATION)
    assert BUSY / 4 <= taken["gpu_s"] <= devices * wall
    assert taken["energy_j"] > 0
