"""What this machine is, for the report: processor, instruction sets, threads, GPU and driver.

A fact that can't be had is absent or None, never guessed.
"""

from __future__ import annotations

import os
import platform
import sys

from seedlock import processor
from seedlock.hash_seed import addresses_are_random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INSTRUCTION_SETS = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "bmi2", "avx512f", "avx512dq", "avx512bw",
    "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16",
    "asimd", "sve", "sve2", "bf16",
)  # fmt: skip
"""Names in /proc/cpuinfo by which numerical libraries choose their kernels."""

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def facts() -> dict[str, object]:
    """Return the machine's facts, JSON-ready."""
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "system": platform.platform(),
        "address_randomisation": addresses_are_random(),
        "cpu": cpu(),
        "threads": threads(),
        "gpu": gpu(),
    }


def cpu() -> dict[str, object]:
    """Return the processor's model and the instruction sets that matter (Linux; else empty)."""
    fields = processor.fields()
    if not fields:
        return {"machine": platform.machine()}
    sets = processor.instruction_sets()
    return {
        "machine": platform.machine(),
        "model": fields.get("model name", ""),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in sets],
    }


def threads() -> dict[str, object]:
    """Return the numbers of threads that decide the order of sums."""
    found: dict[str, object] = {
        "processors": os.cpu_count(),
        "usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
    }
    found.update({name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ})
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        found["torch"] = torch.get_num_threads()
    return found


def usage() -> dict[str, float]:
    """Return what this process took so far: `user_s` and `system_s`, processor time in seconds,
    and `peak_memory_bytes`, the most that it held in memory (getrusage(2); Linux counts in KiB)."""
    try:
        import resource
    except ImportError:  # Windows
        return {}
    of = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "user_s": round(of.ru_utime, 3),
        "system_s": round(of.ru_stime, 3),
        "peak_memory_bytes": of.ru_maxrss * unit,
    }


def gpu() -> dict[str, object]:
    """Return GPUs and driver as NVML tells them, or why it can't."""
    try:
        import pynvml
    except ImportError:
        return {"devices": [], "reason": "nvidia-ml-py is not installed"}
    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as problem:
        return {"devices": [], "reason": str(problem)}
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        return {
            "driver": nvml.nvmlSystemGetDriverVersion(),
            "devices": [
                {
                    "name": nvml.nvmlDeviceGetName(handle),
                    "memory_bytes": nvml.nvmlDeviceGetMemoryInfo(handle).total,
                    "compute_capability": list(nvml.nvmlDeviceGetCudaComputeCapability(handle)),
                }
                for handle in handles
            ],
        }
    finally:
        nvml.nvmlShutdown()
