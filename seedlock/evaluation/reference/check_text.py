"""What a check of reference runs came to, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.reference import stored
from seedlock.evaluation.reference.judging import FAIL
from seedlock.evaluation.scores import summaries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROW = "{:<20} {:<18} {:>8} {:>10} {:>10} {:>9} {:>10} {:>13}"
HEAD = ROW.format(
    "model", "verdict", "bits", "before", "now", "p", "would show", "epochs"
)  # fmt: skip


def lines(
    result: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what `checking.check` returned, for people.

    Args:
        result: that.
        before, after: content of the two measurements.
    """
    yield result["verdict"] + _first_of_all(result)
    yield from surroundings(result)
    yield ""
    yield HEAD
    for name, model in result["models"].items():
        yield _row(name, model, before, after)
    yield "before, now: mean of the final metric; would show: smallest loss that so many seeds show"
    yield "with 80 % power; epochs: mean until the target, first and last left out (MLPerf)"
    for name, model in result["models"].items():
        if model["reasons"] or model["first"]:
            yield ""
            yield from _details(name, model)


def surroundings(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs around the two measurements, and what was left out."""
    stored, measured, seeds = result["stored"], result["measured"], result["seeds"]
    yield (
        f"stored {stored['date']} with seedlock {stored['seedlock']}, level {stored['level']}, "
        f"{seeds['stored']} seeds; measured {measured['date']}, {seeds['measured']} seeds"
    )
    if seeds["stored"] != seeds["measured"]:
        yield f"compared are seeds 1 to {seeds['compared']} only"
    if result["asked"] is not None:
        yield f"compared are these models only: {', '.join(result['asked'])}"
    changes = result["changes"]
    for name, (one, other) in changes["packages"].items():
        yield f"package {name}: {one or 'not there'} -> {other or 'not there'}"
    for name in changes["lock"]:
        yield f"{name} is another one"
    for name in ("python", "seedlock", "system"):
        if changes[name]:
            yield f"{name}: {changes[name][0]} -> {changes[name][1]}"
    if changes["processor"] or changes["instruction_sets"]:
        one, other = changes["processor"] or ("the same model", "the same model")
        yield f"processor: {one} -> {other}; at level portable the bits should be equal all"
        yield "the same, so a difference is not explained by that alone"


def _first_of_all(result: Mapping[str, Any]) -> str:
    """Return the first framework, model, step and operation that differ in what failed."""
    for name, model in result["models"].items():
        if model["verdict"] == FAIL:
            return f": {model['framework']}, {name}{_where(model['first'])}"
    return ""


def _where(first: Mapping[str, Any] | None) -> str:
    if first is None or first["kind"] is None:
        return ""
    at = first["operation"] or first
    place = f" at {at['at']}" if at["at"] else ""
    return f", step {at['step']}, {at['kind']} {at['op']}{place}"


def _row(
    name: str, model: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> str:
    judged = model["judgement"]
    if judged is None:
        return ROW.format(name, model["verdict"], *[""] * 6).rstrip()
    p, loss = min(judged["p_values"], judged["p_epochs"]), judged["smallest_loss"]
    convergence = judged["convergence"]
    epochs = [_number(convergence[key]) for key in ("before", "after")]
    return ROW.format(
        name, model["verdict"], f"{len(judged['equal_bits'])}/{judged['seeds']}",
        _number(mean(before["models"][name], judged["seeds"])),
        _number(mean(after["models"][name], judged["seeds"])),
        f"{p:.2g}", _number(loss), " -> ".join(epochs),
    )  # fmt: skip


def mean(model: Mapping[str, Any], seeds: int) -> float | None:
    """Return the mean of a model's final metric over those of the first seeds whose value counts;
    None where none does."""
    found = [value for seed, value in stored.values(model).items() if seed <= seeds]
    return summaries.mean(found) if found else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _details(name: str, model: Mapping[str, Any]) -> Iterator[str]:
    yield f"{name} ({model['framework']}): {model['verdict']}"
    for reason in model["reasons"]:
        yield f"  {reason}"
    for remark in model["remarks"]:
        yield f"  decides nothing: {remark}"
    first = model["first"]
    if first is not None:
        yield f"  first difference, of seed {first['seed']}{_where(first)}"
        yield from (f"    {line}" for line in first["lines"])
        if first["note"]:
            yield f"  {first['note']}"
