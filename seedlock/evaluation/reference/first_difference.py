"""The first step and operation at which a model's run parts from the stored one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedlock.errors import NotComparable
from seedlock.evaluation.divergence import Divergence, first_divergence, first_result_divergence
from seedlock.evaluation.divergence_text import divergence_lines, plain
from seedlock.evaluation.reference import kept_traces, stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedlock.evaluation.reference.checking import Side

NAMES = ("stored", "now")

SEED = 1
"""The one whose traces are kept."""


def first_difference(
    name: str, before: Side, after: Side, differing: Sequence[int], programs: Path
) -> dict[str, Any]:
    """Return where a model's runs first part, JSON-ready.

    Args:
        name: the model, which both sides have.
        before, after: the stored measurement and the new one.
        differing: seeds whose bits differ, one at least.
        programs: folder of the programs, of which lines are shown.

    Returns:
        `seed`; `step`, `kind`, `op` and `at` of the first event of the steps' traces that
        differs, None where it is not known; `operation`, the same of the first operation, or None;
        `lines` about both for people; `note`, what could not be told and how to find it.

    Raises:
        BadReference: a stored trace is missing or another one.
        BadTrace: one can't be read.
    """
    found: dict[str, Any] = {
        "seed": differing[0], "step": None, "kind": None, "op": None, "at": None,
        "operation": None, "lines": [], "note": "",
    }  # fmt: skip
    command = before.content["models"][name]["command"]
    level = before.content["level"]
    if SEED not in differing:
        found["note"] = (
            f"traces are kept of seed {SEED}, which has equal bits; to find the step: "
            + _again(differing[0], level, command, "step", "")
        )
        return found
    found["seed"] = SEED
    divergence = _between(name, "step", before, after, programs)
    if isinstance(divergence, str):
        found["note"] = divergence
        return found
    found |= _place(divergence)
    found["lines"] = [*map(plain, divergence_lines(divergence, NAMES))]
    step = divergence.step or 0
    window = _window(before.kept(name, "op"), after.kept(name, "op"))
    if window is not None and step < window:
        operation = _between(name, "op", before, after, programs, window)
        if not isinstance(operation, str):
            found["operation"] = _place(operation)
            if operation.kind == "op":
                found["lines"].append("its first operation:")
                found["lines"] += map(plain, divergence_lines(operation, NAMES))
            return found
        found["note"] = f"of its operations: {operation}; "
    else:
        kept = "no operations are" if window is None else f"operations of {window} steps are"
        found["note"] = f"{kept} stored, and this is step {step}; "
    found["note"] += "to find the operation: " + _again(
        SEED, level, command, "op", f"{step}:{step + 1}"
    )
    return found


def _between(
    name: str, mode: str, before: Side, after: Side, programs: Path, until: int | None = None
) -> Divergence | str:
    """Return where two kept traces part, or why that can't be told."""
    kept = before.kept(name, mode), after.kept(name, mode)
    for each, side in zip(kept, NAMES, strict=True):
        if each is None:
            return f"there is no trace ({side})"
    whole = all(each["whole"] for each in kept if each)
    most = None if whole else min(each["events"] for each in kept if each)
    with tempfile.TemporaryDirectory(prefix="seedlock-") as temporary:
        one, other = (
            kept_traces.unpack(
                stored.trace(side.folder, each), each["file"], Path(temporary) / label,
                str(programs), until, most,
            )
            for side, each, label in zip((before, after), kept, NAMES, strict=True)
            if each is not None
        )  # fmt: skip
        try:
            # Results first: a seed that is set elsewhere, or a state of a generator that no result
            # shows, is no reason for what the results are.
            divergence = first_result_divergence(one, other) or first_divergence(one, other)
        except NotComparable as problem:
            return str(problem)
    if divergence is not None:
        return divergence
    if most is not None:
        return f"the first {most} events are equal, and no more are stored"
    return (
        "all that was traced is equal: what differs is how the metric is worked out, or what no "
        "trace sees"
    )


def _window(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> int | None:
    """Return before which step both sides have operations."""
    if one is None or other is None:
        return None
    return int(min(one["steps"], other["steps"]))


def _place(of: Divergence) -> dict[str, Any]:
    return {"step": of.step, "kind": of.kind, "op": of.op, "at": of.at}


def _again(seed: int, level: str, command: Sequence[str], mode: str, steps: str) -> str:
    """Return the command that finds it, which needs both environments."""
    window = f" REPRO_TRACE_STEPS={steps}" if steps else ""
    words = " ".join(command)
    return (
        f"in the folder of the programs, say REPRO_TRACE={mode}{window} seedlock run --seed {seed} "
        f"--level {level} --report NOW -- {words}; the same with the stored lock's packages and "
        "--report BEFORE; then seedlock diff BEFORE NOW"
    )
