"""From the records of reference runs to what is kept of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation.ledger.states import ENDED, SHOWN
from seedlock.evaluation.plan import WORKPLACE
from seedlock.evaluation.recording import record
from seedlock.evaluation.reference import kept_traces
from seedlock.evaluation.reference.models_file import CURVE
from seedlock.evaluation.reference.stored import TRACES, value
from seedlock.evaluation.rounds.canonical import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.ledger.ledger import Ledger
    from seedlock.evaluation.reference.models_file import Model, Task

SHOWN_REASONS = 3

LONGEST = 300
"""Characters of a reason."""

TAIL = 1 << 14
"""Bytes at the end of what a run printed that are looked at."""

FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s'\":/]+/)+")
"""Folders of an absolute path: nothing that is stored names one."""


def ends(ledger: Ledger) -> dict[tuple[str, int], dict[str, Any]]:
    """Return how each run came to its end, by digest of the submission and seed index."""
    return {
        (each["submission"], each["seed_index"]): each["content"]
        for each in ledger.events()
        if each["kind"] == ENDED and each["content"]["state"] in SHOWN
    }


def run_of(folder: Path, end: dict[str, Any], seed: int, task: Task) -> dict[str, Any]:
    """Return what is kept of a run.

    Args:
        folder: of the ledger.
        end: what the ledger says.
        seed: root seed.
        task: what was learned.

    Raises:
        BadRecord: its record can't be read.
    """
    reasons = [str(each)[:LONGEST] for each in end["reasons"][:SHOWN_REASONS]]
    if end["class"] == record.AUTHOR:
        reasons += _last_words(folder, end)
    found: dict[str, Any] = {
        "seed": seed, "outcome": end["class"], "reasons": reasons, "metric": None, "curve": [],
        "converged": None, "trace": None, "wall_s": 0.0, "processor_s": 0.0,
        "peak_memory_bytes": None,
    }  # fmt: skip
    if end["record"] is None:
        return found
    content = record.load(folder / end["record"])
    metrics, usage, trace = content["metrics"], content["usage"], content["trace"]
    series = metrics["series"]
    curve = series.get(CURVE.format(metric=task.metric)) or series.get(task.metric) or []
    numbers = [(step, value(each)) for step, each in curve]
    reached = (step for step, each in numbers if each is not None and task.reaches(each))
    found["metric"] = metrics["final"].get(task.metric)
    found["curve"] = curve
    found["converged"] = next(reached, None)
    if trace is not None:
        found["trace"] = {key: trace[key] for key in ("digest", "results", "steps", "algorithm")}
    found["wall_s"] = usage["wall_s"]
    found["processor_s"] = round(usage["user_s"] + usage["system_s"], 3)
    found["peak_memory_bytes"] = usage["process_peak_bytes"]
    return found


def _last_words(folder: Path, end: dict[str, Any]) -> list[str]:
    """Return the last line that a program wrote to stderr, which says why it ended; empty without
    one."""
    if end["record"] is None:
        return []
    try:
        with ((folder / end["record"]).with_suffix("") / WORKPLACE / "stderr.txt").open("rb") as f:
            f.seek(0, 2)
            f.seek(max(0, f.tell() - TAIL))
            lines = f.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return []
    return [FOLDERS.sub("", printable(lines[-1], LONGEST))] if lines else []


def trace_of(
    folder: Path, end: dict[str, Any], model: Model, mode: str, until: int | None
) -> tuple[dict[str, Any], bytes] | None:
    """Return what is kept of a run's traces, and the packed file; None where it left none.

    Args:
        folder: of the ledger.
        end: what the ledger says.
        model: which.
        mode: `step` or `op`.
        until: events of this step and all later ones are left out; None to keep all.

    Raises:
        BadTrace: a trace can't be read.
    """
    if end["record"] is None:
        return None
    reports = (folder / end["record"]).with_suffix("") / WORKPLACE / "reports"
    if not any(reports.glob("*.trace.jsonl")):
        return None
    largest = kept_traces.LARGEST_OP if mode == "op" else kept_traces.LARGEST_STEP
    kept = kept_traces.pack(reports, until, largest)
    name = f"{TRACES}/{model.name}.{mode}.gz"
    facts = {
        "file": name, "sha256": sha256(kept.content), "steps": until, "events": kept.events,
        "whole": kept.whole,
    }  # fmt: skip
    return facts, kept.content


def facts_of_machine(folder: Path, end: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of the machine in a run's record; empty without one."""
    if end["record"] is None:
        return {}
    return dict(record.load(folder / end["record"])["host"])
