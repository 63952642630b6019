"""What kind of processor this is, as Linux says it in /proc/cpuinfo.

Under qemu-user that file is the host's.
"""

from __future__ import annotations

X86_64_V3 = (
    "avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe",
)  # fmt: skip
"""Instruction sets of x86-64-v3 (System V ABI, AMD64 supplement, "Micro-architecture levels") by
their names in /proc/cpuinfo; `abm` holds lzcnt."""


def fields() -> dict[str, str]:
    """Return the first processor's fields by name, empty where there are none to be read."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = file.read().split("\n\n")[0]
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in first.splitlines():
        name, _, value = line.partition(":")
        found[name.strip()] = value.strip()
    return found


def instruction_sets() -> set[str]:
    """Return the names of the first processor's instruction sets."""
    found = fields()
    return set(found.get("flags", found.get("Features", "")).split())


def lacking(sets: set[str]) -> list[str]:
    """Return what of x86-64-v3 is not among `sets`, in the order of `X86_64_V3`."""
    return [name for name in X86_64_V3 if name not in sets]
