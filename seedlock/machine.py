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
    """Return what this process took so far: `user_s` and `system_s`, processor time in seconds
    (getrusage(2)), and `peak_memory_bytes`, as `peak_memory` has it."""
    try:
        import resource
    except ImportError:  # Windows
        return {}
    of = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts in KiB
    return {
        "user_s": round(of.ru_utime, 3),
        "system_s": round(of.ru_stime, 3),
        "peak_memory_bytes": peak_memory() or of.ru_maxrss * unit,
    }


def peak_memory() -> int | None:
    """Return the most bytes that this process held in memory since its program began, by Linux's
    VmHWM (proc_pid_status(5)); None where that is not to be had.

    getrusage's ru_maxrss begins with what the process held that started this one: Linux carries it
    over execve(2) (fs/exec.c, exec_mmap).
    """
    try:
        with open("/proc/self/status", "rb") as file:
            _, found, rest = file.read().partition(b"VmHWM:")
    except OSError:
        return None
    return int(rest.split()[0]) * 1024 if found else None


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
                    "memory_bytes": _memory(nvml, handle),
                    "compute_capability": list(nvml.nvmlDeviceGetCudaComputeCapability(handle)),
                }
                for handle in handles
            ],
        }
    except nvml.NVMLError as problem:
        return {"devices": [], "reason": str(problem)}
    finally:
        nvml.nvmlShutdown()


def _memory(nvml: Any, handle: object) -> int | None:
    """Return a GPU's memory in bytes; None where it has none of its own, but the processor's."""
    try:
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    except nvml.NVMLError:
        return None
