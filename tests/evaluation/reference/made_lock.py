"""Locks, and measurements under them that nobody trained for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedlock.evaluation.reference import stored
from tests.evaluation.reference import made_measurement

VALUES = (0.955, 0.961, 0.958, 0.949, 0.963, 0.957, 0.952, 0.960)
"""Of eight seeds: 12,870 ways to deal them out, where ten have 184,756."""

PACKAGES = {"numpy": "2.2.6", "torch": "2.13.0+cpu"}


def digest(text: str) -> str:
    """Return the digest of a text as measurements write it."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def run(
    seed: int, value: float | None, lock: str = "old", epoch: int | None = 3, wall: float = 2.0,
    outcome: str = "done",
) -> dict[str, Any]:  # fmt: skip
    """Return a run as a measurement has it; `lock` decides its bits."""
    return made_measurement.run(
        seed, value, lock, curve=[], converged=epoch, wall_s=wall + seed / 100, outcome=outcome,
        reasons=[] if outcome == "done" else ["exit status 1"], peak_memory_bytes=300 << 20,
    )  # fmt: skip


def model(framework: str, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a model as a measurement has it."""
    return made_measurement.model(
        list(runs), framework=framework, task="digits", title="small digits", target=0.95
    )


def content(
    models: Mapping[str, dict[str, Any]], locks: Mapping[str, str],
    packages: Mapping[str, str] = PACKAGES, processor: str = "a processor",
) -> dict[str, Any]:  # fmt: skip
    """Return a measurement under the locks with these texts."""
    return made_measurement.measurement() | {
        "seeds": len(next(iter(models.values()))["runs"]),
        "packages": dict(packages),
        "lock": {name: digest(locks[name]) for name in ("cpu.lock", "programs.lock")},
        "host": {"cpu": {"model": processor}, "processors": 2},
        "models": dict(models),
    }


def write(folder: Path, written: Mapping[str, Any]) -> Path:
    """Store a measurement; return its folder."""
    plain = {name: each for name, each in written.items() if name not in ("format", "version")}
    stored.write(folder, plain, {})
    return folder


def lock(*pins: str, salt: str = "") -> str:
    """Return the text of a lock; `salt` goes into the hashes."""
    return "".join(f"{pin} \\\n    --hash={digest(pin + salt)}\n" for pin in pins)


def locks(cpu: str, **others: str) -> dict[str, str]:
    """Return texts of all locks by their names."""
    names = {"cpu.lock": cpu, **{f"{name}.lock": text for name, text in others.items()}}
    plain = lock("tool==1.0")
    return {name: names.get(name, plain)
            for name in ("cpu.lock", "programs.lock", "gpu.lock", "dev.lock")}  # fmt: skip


def write_locks(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write lock files; return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder
