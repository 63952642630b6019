"""Records of runs that nobody made, as good as records can be; tests spoil them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from tests.evaluation.recording.test_record import COMPLETE

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"

PROMISES = ("network", "root_read_only", "memory", "processors", "processes", "time", "home",
            "environment", "capabilities", "seccomp", "reads")  # fmt: skip

REPORT: dict[str, Any] = {
    "status": "finished", "gaps": [], "entropy": [], "user_seeds": [],
    "libraries": {"numpy": {"version": "2.2.6", "gaps": []}},
}  # fmt: skip


def made(seed: int = 1, value: float = 0.9, **changes: Any) -> dict[str, Any]:
    """Return a record of a sealed run at level strict that left nothing open.

    Args:
        seed: the root seed.
        value: of its one metric, accuracy.
        changes: keys that are others.
    """
    content = copy.deepcopy(COMPLETE)
    content.update({
        "seed": seed,
        "lock": {"sha256": HEX, "drift": {}},
        "source": {"revision": "abc", "digest": DIGEST, "dirty": [], "files": 3, "changed": [],
                   "working_folder": "."},
        "data": [{"name": "digits", "sha256": DIGEST, "size": 1797, "kind": "file",
                  "licence": "CC0-1.0", "verified_before": True, "verified_after": True}],
        "reads": {"files": [], "more": 0, "complete": True, "by": "the seal"},
        "host": {"cpu": {"model": "AMD EPYC 7763"}, "threads": {"usable": 2}, "system": "Linux",
                 "memory_bytes": 8 << 30, "gpu": {"devices": []}, "python": "3.11.7"},
        "processes": [copy.deepcopy(REPORT)],
        "guarantees": {name: {"held": True, "by": "docker", "note": ""} for name in PROMISES},
        "outputs": [{"path": "model.npy", "sha256": DIGEST, "size": 100}],
        "trace": {"mode": "step", "algorithm": "xxh3", "steps": 10, "results": 10,
                  "digest": DIGEST},
        "metrics": {
            "declared": [{"name": "accuracy", "direction": "max", "unit": ""}],
            "final": {"accuracy": value, "accuracy_by_epoch": value},
            "series": {"accuracy_by_epoch": [[1, 0.5], [2, value]]},
        },
    })  # fmt: skip
    content["outcome"] = {"class": "done", "exit_status": 0, "reasons": [], "notes": []}
    content.update(changes)
    return content


def written(folder: Path, *contents: dict[str, Any]) -> list[str]:
    """Write records, `run-1.json` and so on, and return their paths."""
    paths = []
    for number, content in enumerate(contents, 1):
        path = folder / f"run-{number}.json"
        path.write_text(json.dumps(content))
        paths.append(str(path))
    return paths
