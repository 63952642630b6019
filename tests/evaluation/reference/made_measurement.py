"""Measurements made by hand, as `seedlock reference measure` stores them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from seedlock.evaluation.reference import kept_traces, stored
from seedlock.evaluation.reference.checking import Side
from seedlock.evaluation.rounds.canonical import sha256
from tests.evaluation.made_traces import Event, write_process

SEEDS = 10

VALUES = [0.95, 0.96, 0.97, 0.955, 0.965, 0.975, 0.952, 0.962, 0.972, 0.958]


def run(seed: int, value: float | str | None, bits: str = "a", **others: Any) -> dict[str, Any]:
    """Return a run that came to a value; `bits` stands for its traces."""
    trace = {
        "digest": sha256(f"{seed} {bits}".encode()), "results": 5, "steps": 3, "algorithm": "xxh3",
    }  # fmt: skip
    return {
        "seed": seed, "outcome": "done", "reasons": [], "metric": value, "curve": [[1, value]],
        "converged": 1, "trace": trace, "wall_s": 1.0, "processor_s": 1.0,
        "peak_memory_bytes": 1 << 20, **others,
    }  # fmt: skip


def model(runs: list[dict[str, Any]], **others: Any) -> dict[str, Any]:
    """Return a model with these runs and no traces."""
    return {
        "framework": "numpy", "task": "line", "title": "a line", "metric": "accuracy",
        "direction": "max", "target": 0.9, "program": sha256(b"program"),
        "command": ["python", "numpy_line.py"], "runs": runs, "step_trace": None, "op_trace": None,
        **others,
    }  # fmt: skip


def measurement(**models: dict[str, Any]) -> dict[str, Any]:
    """Return what reference.json holds; names of models have `_` for `-`."""
    return {
        "format": stored.FORMAT, "version": stored.VERSION, "date": "2026-11-22T00:00:00Z",
        "seedlock": "0.1.0", "scheme": "seedlock/1", "level": "portable", "seeds": SEEDS, "jobs": 2,
        "lock": {"cpu.lock": sha256(b"cpu"), "programs.lock": sha256(b"programs")},
        "python": "3.11.2", "packages": {"numpy": "2.2.6"},
        "host": {"cpu": {"model": "some processor", "instruction_sets": ["avx2"]}},
        "models": {name.replace("_", "-"): each for name, each in models.items()},
    }  # fmt: skip


def plain(bits: str = "a", values: list[float] | None = None) -> dict[str, Any]:
    """Return a model with ten good runs."""
    return model([run(seed, value, bits) for seed, value in enumerate(values or VALUES, 1)])


def side(
    folder: Path,
    content: dict[str, Any],
    *,
    algorithm: str = "xxh3",
    **traces: tuple[str, list[Event]],
) -> Side:
    """Store a measurement with traces, and return it as a check takes it.

    Args:
        folder: new.
        content: the measurement.
        algorithm: hash behind the traces' digests.
        traces: by mode `step` or `op`, name of a model and events; of `op` those before step 2 are
            kept.
    """
    content = copy.deepcopy(content)
    files = {}
    for mode, (name, events) in traces.items():
        reports = folder / f"reports-{mode}"
        steps = [0, 2] if mode == "op" else None
        write_process(reports, events, mode=mode, steps=steps, cwd=str(reports), seed=1,
                      algorithm=algorithm)  # fmt: skip
        until = 2 if mode == "op" else None
        kept = kept_traces.pack(reports, until, 1 << 20)
        file = f"traces/{name}.{mode}.gz"
        content["models"][name][f"{mode}_trace"] = {
            "file": file, "sha256": sha256(kept.content), "steps": until, "events": kept.events,
            "whole": kept.whole,
        }  # fmt: skip
        files[file] = kept.content
    stored.write(folder, content, files)
    return Side(folder, stored.read(folder))
