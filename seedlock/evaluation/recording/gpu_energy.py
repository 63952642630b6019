"""What the machine's GPUs took during a run, by NVML: energy, and nothing where there is none.

Not run on a GPU yet.
"""

from __future__ import annotations

from typing import Any


class Meter:
    """Counters of all GPUs of this machine, read when it is made and again by `taken`.

    The energy counter is per device and counts whoever uses it: on a shared machine it is an upper
    bound (nvmlDeviceGetTotalEnergyConsumption, millijoules since the driver was loaded; Volta and
    later).
    """

    def __init__(self) -> None:
        self._before = _millijoules()

    def taken(self) -> dict[str, Any]:
        """Return `energy_j`, joules since the meter was made; None where NVML has no counter."""
        now = _millijoules()
        if self._before is None or now is None:
            return {"energy_j": None}
        return {"energy_j": round((now - self._before) / 1000, 3)}


def _millijoules() -> int | None:
    try:
        import pynvml
    except ImportError:
        return None
    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None  # no driver
    try:
        handles = map(nvml.nvmlDeviceGetHandleByIndex, range(nvml.nvmlDeviceGetCount()))
        return sum(int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in handles)
    except nvml.NVMLError:
        return None  # a device without the counter
    finally:
        nvml.nvmlShutdown()
