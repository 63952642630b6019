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


_constants: dict[str, object] = {}


def facts() -> dict[str, object]:
    """Return the machine's facts, JSON-ready."""
    return {
        **constants(),
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "address_randomisation": addresses_are_random(),
        "cpu": cpu(),
        "threads": threads(),
    }


def constants() -> dict[str, object]:
    """Return those facts that all processes here share and that take most of the time: found once,
    so that forked processes have them from their parent."""
    if not _constants:
        _constants.update(system=_system(), gpu=gpu())
    return _constants


def _system() -> str:
    # As platform.platform() has it, which starts a program to ask for the processor's kind.
    if sys.platform != "linux":
        return platform.platform()
    of, libc = os.uname(), "".join(platform.libc_ver())
    return "-".join(filter(None, [of.sysname, of.release, of.machine, "with", libc]))


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
    if torch is not None:  # what lies in it: to ask a module that is loaded lazily would load it
        number = object.__getattribute__(torch, "__dict__").get("get_num_threads")
        if number is not None:
            found["torch"] = number()
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
        number = _told(nvml.nvmlDeviceGetCount) or 0
        handles = [_told(nvml.nvmlDeviceGetHandleByIndex, index) for index in range(number)]
        return {
            "driver": _told(nvml.nvmlSystemGetDriverVersion),
            "devices": [_device(nvml, handle) for handle in handles],
        }
    finally:
        nvml.nvmlShutdown()


def _device(nvml: Any, handle: Any) -> dict[str, object]:
    memory = _told(nvml.nvmlDeviceGetMemoryInfo, handle)
    capability = _told(nvml.nvmlDeviceGetCudaComputeCapability, handle)
    found = {
        "name": _told(nvml.nvmlDeviceGetName, handle),
        "memory_bytes": memory and memory.total,
        "compute_capability": capability and list(capability),
    }
    return {name: fact for name, fact in found.items() if fact is not None}


def _told(ask: Any, *arguments: Any) -> Any:
    import pynvml

    try:
        return ask(*arguments)
    except pynvml.NVMLError:  # some devices have no memory of their own, some are not ours to ask
        return None
