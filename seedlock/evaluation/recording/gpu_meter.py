"""What a run's GPUs took, by NVML: energy and time, and nothing where there is none.

Seen on an H100 with accounting off; `make test-gpu` holds the check.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACCOUNTING, UTILISATION = "accounting", "utilisation"
"""Where GPU time is from: the driver's account of processes, or its share of busy time, sampled."""

PERIOD = 0.5
"""Seconds between two looks. NVML's share is of its last sample period, between 1/6 and 1 second by
the product (nvmlUtilization_t, NVML API reference)."""

VISIBLE = "CUDA_VISIBLE_DEVICES"

_NOT_AVAILABLE = 0xFFFFFFFF  # NVML_VALUE_NOT_AVAILABLE as the unsigned int of a percentage


class Meter:
    """Counters of GPUs, read when it is made, at each `look`, and by `taken`.

    All of them are per device, or per process that has begun meanwhile, and count whoever that
    is: on a shared GPU they are upper bounds.

    Args:
        gpus: numbers as NVML counts them, or ids (`GPU-...`); None for all of the machine.
    """

    def __init__(self, gpus: Sequence[str] | None = None) -> None:
        self._nvml, self._handles = devices(gpus)
        self._energy_before = self._millijoules()
        self._processes_before = self._processes()
        self._busy: float | None = 0.0 if self._handles else None
        self._looked = time.monotonic()

    def look(self) -> None:
        """Take a sample if the last one is long enough ago; call it as often as you like."""
        if self._busy is not None and time.monotonic() - self._looked >= PERIOD:
            self._sample()

    def taken(self) -> dict[str, Any]:
        """Return what was taken since the meter was made, and end it.

        `energy_j`, joules, None where NVML has no counter (nvmlDeviceGetTotalEnergyConsumption:
        Volta and later). `gpu_s`, seconds in which a GPU computed, summed over GPUs, and `gpu_by`,
        where that is from; neither key where there is no GPU or NVML does not say. By accounting,
        where that is on for each GPU: of each process that began and ended meanwhile, the time of
        its context times the share in which kernels ran (nvmlAccountingStats_t). Else by samples,
        which miss what is shorter than their period.
        """
        if self._busy is not None:
            self._sample()
        energy, accounted = self._millijoules(), self._accounted()
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
        found: dict[str, Any] = {"energy_j": None}
        if self._energy_before is not None and energy is not None:
            found["energy_j"] = round((energy - self._energy_before) / 1000, 3)
        if accounted is not None:
            return {**found, "gpu_s": round(accounted, 3), "gpu_by": ACCOUNTING}
        if self._busy is not None:
            return {**found, "gpu_s": round(self._busy, 3), "gpu_by": UTILISATION}
        return found

    def _sample(self) -> None:
        now = time.monotonic()
        try:
            shares = [self._nvml.nvmlDeviceGetUtilizationRates(each).gpu for each in self._handles]
        except self._nvml.NVMLError:
            self._busy = None  # as with MIG: half a sum would look like a whole one
            return
        assert self._busy is not None
        self._busy += sum(shares) / 100 * (now - self._looked)
        self._looked = now

    def _millijoules(self) -> int | None:
        if not self._handles:
            return None
        ask = self._nvml.nvmlDeviceGetTotalEnergyConsumption
        try:
            return sum(int(ask(handle)) for handle in self._handles)
        except self._nvml.NVMLError:
            return None  # a device without the counter

    def _processes(self) -> set[tuple[int, int, int]] | None:
        """Return number of the GPU, process and its start for what was accounted so far; None
        where accounting is off somewhere."""
        if not self._handles:
            return None
        nvml, found = self._nvml, set()
        try:
            for number, handle in enumerate(self._handles):
                if nvml.nvmlDeviceGetAccountingMode(handle) != nvml.NVML_FEATURE_ENABLED:
                    return None
                for pid in nvml.nvmlDeviceGetAccountingPids(handle):
                    stats = nvml.nvmlDeviceGetAccountingStats(handle, pid)
                    found.add((number, pid, stats.startTime))
        except nvml.NVMLError:
            return None
        return found

    def _accounted(self) -> float | None:
        now = self._processes()
        if now is None or self._processes_before is None:
            return None
        seconds = 0.0
        for number, pid, _ in now - self._processes_before:
            try:
                stats = self._nvml.nvmlDeviceGetAccountingStats(self._handles[number], pid)
            except self._nvml.NVMLError:
                return None
            if stats.gpuUtilization == _NOT_AVAILABLE:
                return None
            seconds += stats.time / 1000 * stats.gpuUtilization / 100
        return seconds


def given(sealed: Sequence[str] | None, environ: Mapping[str, str]) -> list[str] | None:
    """Return the GPUs that a run gets, None for all of the machine.

    Args:
        sealed: those of a sealed run's container; None for a run that is not sealed.
        environ: its variables. CUDA counts as NVML does where all GPUs are alike, or under
            CUDA_DEVICE_ORDER=PCI_BUS_ID.
    """
    if sealed is not None:
        return list(sealed)
    if VISIBLE not in environ:
        return None
    names = [name.strip() for name in environ[VISIBLE].split(",")]
    # CUDA takes those before the first that is none.
    wrong = next((at for at, name in enumerate(names) if name in ("", "-1")), len(names))
    return names[:wrong]


def devices(gpus: Sequence[str] | None) -> tuple[Any, list[Any]]:
    """Return the library, open, and handles; None and none without a driver or a GPU."""
    if gpus is not None and not gpus:
        return None, []
    try:
        import pynvml
    except ImportError:
        return None, []
    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None, []  # no driver
    try:
        names = map(str, range(nvml.nvmlDeviceGetCount())) if gpus is None else gpus
        by_number, by_id = nvml.nvmlDeviceGetHandleByIndex, nvml.nvmlDeviceGetHandleByUUID
        found = [by_number(int(name)) if name.isdecimal() else by_id(name) for name in names]
    except nvml.NVMLError:
        found = []
    if not found:
        nvml.nvmlShutdown()
        return None, []
    return nvml, found
