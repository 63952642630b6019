"""What level portable fixes for several libraries at once: numbers of threads, instruction sets.

An x86-64-v3 processor has AVX2 and FMA. A newer one is held back to that, so that each takes the
kernels of the others. What belongs to one library stands in its adapter.
"""

from __future__ import annotations

import os
import sys

from seedlock import shared_objects
from seedlock.processor import instruction_sets, lacking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SKX = {"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"}
_CLX = _SKX | {"avx512_vnni"}
_CNL = _SKX | {"avx512ifma", "avx512vbmi"}
_ICL = _CLX | _CNL | {"avx512_vbmi2", "avx512_bitalg", "avx512_vpopcntdq"}
_KNL = {"avx512f", "avx512cd", "avx512er", "avx512pf"}
_KNM = _KNL | {"avx512_4fmaps", "avx512_4vnniw", "avx512_vpopcntdq"}

NUMPY_FEATURES: tuple[tuple[tuple[int, ...], dict[str, set[str]]], ...] = (
    ((2, 4), {"X86_V4": _SKX, "AVX512_ICL": _ICL, "AVX512_SPR": _ICL | {"avx512_fp16"}}),
    (
        (1, 23),
        {
            "AVX512F": {"avx512f"}, "AVX512CD": {"avx512f", "avx512cd"}, "AVX512_KNL": _KNL,
            "AVX512_KNM": _KNM, "AVX512_SKX": _SKX, "AVX512_CLX": _CLX, "AVX512_CNL": _CNL,
            "AVX512_ICL": _ICL,
        },
    ),
)  # fmt: skip
"""Features beyond x86-64-v3 for which NumPy's wheels have kernels (`__cpu_dispatch__` of 2.2.6 and
2.4.0), from which version on, and what of /proc/cpuinfo each needs. One that the processor lacks
must not be named: NumPy warns of it, and a program may make errors of warnings."""

_SYMBOLS = tuple(
    f"{prefix}openblas_{{}}_num_threads{suffix}"
    for prefix in ("", "scipy_")
    for suffix in ("", "64_")
)

GAP = (
    "the bits of {} between processors were compared operation by operation, for those that "
    "docs/determinism.md#other-machines names: any other one was not compared"
)
"""Gap of each library that computes: level portable fixes what all operations are made of, and was
seen to hold for those of tests/portable/programs alone."""

_openblas: dict[str, Any] = {}
"""How to ask each loaded OpenBLAS for its number of threads, by the name of its file."""


def refuse_unfit() -> None:
    """Refuse a processor that lacks instructions of x86-64-v3.

    Raises:
        NotPortable: it does, or is of another kind.
    """
    missing = lacking(instruction_sets())
    if missing:
        from seedlock.errors import NotPortable

        raise NotPortable(
            f"this processor lacks {', '.join(missing)}; level portable needs x86-64-v3 (Intel "
            "Haswell or AMD Excavator and later); set REPRO_LEVEL=strict, which promises the same "
            "bits on this machine only"
        )


def crowding(library: str, threads: int) -> list[str]:
    """Return the gap of a library with more threads than processors: the bits hold, not the
    speed."""
    usable = usable_processors()
    if threads <= max(usable, 1):
        return []
    return [
        f"{library} computes with {threads} threads and this process may use {usable:g} "
        "processors: threads wait for each other, those of OpenBLAS and oneDNN for tens to "
        "hundreds of times as long as they compute; the bits are the same"
    ]


def usable_processors() -> float:
    """Return how many processors this process may use: by its affinity and, in a container, by
    the quota of its control group (cpu.max of cgroup v2, "QUOTA PERIOD" or "max PERIOD")."""
    usable = float(len(os.sched_getaffinity(0)))
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
    except (OSError, ValueError):
        return usable  # no quota, or cgroup v1
    return usable if quota == "max" else min(usable, int(quota) / int(period))


def variables(threads: int) -> dict[str, str]:
    """Return the variables for the libraries on which several frameworks build.

    Each reads its own when it is loaded or first called, whoever loads it.

    Args:
        threads: number of threads of each, all of which may wait by spinning: OpenBLAS's inside a
            product of matrices, oneDNN's on OpenMP inside a convolution's backward pass.
    """
    number = str(threads)
    return {
        "OMP_NUM_THREADS": number,
        "OMP_DYNAMIC": "FALSE",
        "MKL_NUM_THREADS": number,
        "MKL_DYNAMIC": "FALSE",
        # The only branch that AMD and Intel processors share (Intel's guide, "Specifying code
        # branches"); it is written for a fixed number of threads. Not the fastest on either.
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_NUM_THREADS": number,  # at most the usable processors: see `hold_threads`
        "OPENBLAS_CORETYPE": "Haswell",
        # The two names of one setting, before and since oneDNN 2.6.
        "DNNL_MAX_CPU_ISA": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    }


def numpy_features(version: tuple[int, ...], sets: set[str]) -> str:
    """Return the value of NPY_DISABLE_CPU_FEATURES that leaves x86-64-v3.

    Args:
        version: release numbers of the installed NumPy.
        sets: the processor's instruction sets.
    """
    for first, features in NUMPY_FEATURES:
        if version >= first:
            return " ".join(name for name, needed in features.items() if needed <= sets)
    return ""


def hold_threads(threads: int) -> None:
    """Give each OpenBLAS that is loaded `threads` threads.

    OpenBLAS takes at most one per usable processor from its variable (blas_get_cpu_number in its
    driver/others/memory.c) and any number from a call.
    """
    import ctypes

    for path in shared_objects.loaded("openblas"):
        name = os.path.basename(path)
        if name in _openblas:
            continue
        library = ctypes.CDLL(path)
        symbol = next((each for each in _SYMBOLS if hasattr(library, each.format("set"))), None)
        if symbol is not None:
            getattr(library, symbol.format("set"))(threads)
            _openblas[name] = getattr(library, symbol.format("get"))


def held() -> dict[str, object]:
    """Return each OpenBLAS's number of threads as it is now; empty at other levels."""
    return {f"{name}.threads": get() for name, get in _openblas.items()}


def beyond_v3() -> list[str]:
    """Return the features beyond x86-64-v3 whose kernels the imported NumPy takes."""
    core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get(
        "numpy.core._multiarray_umath"
    )
    features: Any = getattr(core, "__cpu_features__", {})
    dispatched: Any = getattr(core, "__cpu_dispatch__", ())
    return [
        name
        for name in dispatched
        if features.get(name) and name.startswith(("AVX512", "X86_V4", "AVX10"))
    ]
