"""Hold a new measurement against the stored one: bits, else distributions, else FAIL."""

from __future__ import annotations

import dataclasses
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.record import DONE
from seedlock.evaluation.reference import judging, stored
from seedlock.evaluation.reference.first_difference import first_difference
from seedlock.evaluation.reference.standing_apart import remarks
from seedlock.evaluation.rounds.canonical import canonical, sha256

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.reference.judging import Judgement

NOT_COMPARED = "NOT COMPARED"

ORDER = (judging.FAIL, NOT_COMPARED, judging.EQUAL_DISTRIBUTION, judging.EQUAL_BITS)
"""The first of these that a model has is the verdict over all."""

EXIT_STATUSES = {
    judging.EQUAL_BITS: 0, judging.EQUAL_DISTRIBUTION: 0, judging.FAIL: 1, NOT_COMPARED: 4,
}  # fmt: skip

SAME_TASK = ("framework", "task", "metric", "direction", "target")
"""What two measurements of a model must agree in to be compared."""

SAME_PROGRAM = ("program", "command")
"""What they must agree in to be called equal: another program may FAIL, and shows nothing else."""

SAME_RUNS = ("level", "scheme")
"""What two measurements must agree in."""


@dataclass(frozen=True)
class Side:
    """One of the two measurements.

    Attributes:
        folder: where it is stored.
        content: of its file.
    """

    folder: Path
    content: Mapping[str, Any]

    def kept(self, name: str, mode: str) -> Mapping[str, Any] | None:
        """Return what it says of a model's trace; None where there is none."""
        found: Mapping[str, Any] | None = self.content["models"][name][f"{mode}_trace"]
        return found


def load(folder: Path) -> Side:
    """Return a stored measurement.

    Raises:
        BadReference: it is not there, or is none.
    """
    return Side(folder, stored.read(folder))


def check(
    before: Side, after: Side, programs: Path, asked: Collection[str] | None = None,
    most_seeds: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what a new measurement says about the stored one, JSON-ready.

    Args:
        before: the stored one.
        after: the new one.
        programs: folder of the programs, of which lines are shown.
        asked: names of the models that were asked for; None for all.
        most_seeds: seeds 1 to this one are compared; None for all that both have.

    Raises:
        BadReference: a stored trace is missing or another one.
        BadTrace: one can't be read.
    """
    names = {*before.content["models"], *after.content["models"]}
    names &= names if asked is None else set(asked)
    seeds = min(before.content["seeds"], after.content["seeds"], most_seeds or sys.maxsize)
    apart = {name: _why_not(name, before, after) for name in sorted(names)}
    runs = {
        name: (*(_runs(side, name, seeds) for side in (before, after)),
               before.content["models"][name]["direction"])
        for name, why in apart.items() if not why
    }  # fmt: skip
    judgements = judging.judge_all(runs)
    models = {
        name: {"verdict": NOT_COMPARED, "reasons": why, "remarks": [], "judgement": None,
               "first": None}
        for name, why in apart.items() if why
    }  # fmt: skip
    for name, judgement in judgements.items():
        models[name] = _described(name, before, after, judgement, runs[name], programs, seeds)
    for name, model in models.items():
        side = before if name in before.content["models"] else after
        model |= {key: side.content["models"][name][key] for key in ("framework", "task")}
    verdicts = {model["verdict"] for model in models.values()}
    verdict = next((each for each in ORDER if each in verdicts), NOT_COMPARED)
    return {
        "format": "seedlock-reference-check",
        "version": 1,
        "verdict": verdict,
        "exit_status": EXIT_STATUSES[verdict],
        "seeds": {"compared": seeds, "stored": before.content["seeds"],
                  "measured": after.content["seeds"]},
        "asked": None if asked is None else sorted(asked),
        "stored": _header(before),
        "measured": _header(after),
        "changes": changes(before.content, after.content),
        "models": {name: models[name] for name in sorted(models)},
    }  # fmt: skip


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs around two measurements, JSON-ready.

    `packages` has name to the two versions, None where one has none; `lock` the names of the files
    that differ; `processor`, `python`, `seedlock` and `system` the two values, None where these
    are equal or, of the machine, one is not known.
    """
    packages = {
        name: [before["packages"].get(name), after["packages"].get(name)]
        for name in sorted({*before["packages"], *after["packages"]})
        if before["packages"].get(name) != after["packages"].get(name)
    }
    locks = {*before["lock"], *after["lock"]}

    def both(one: Any, other: Any) -> list[Any] | None:
        return None if one == other else [one, other]

    def known(one: Any, other: Any) -> list[Any] | None:
        """Facts of the machine are in reports, and a program that did not start leaves none."""
        return both(one, other) if one and other else None

    hosts = before["host"], after["host"]
    return {
        "packages": packages,
        "lock": sorted(
            each for each in locks if before["lock"].get(each) != after["lock"].get(each)
        ),
        "python": both(before["python"], after["python"]),
        "seedlock": both(before["seedlock"], after["seedlock"]),
        "processor": known(*((each.get("cpu") or {}).get("model") for each in hosts)),
        "instruction_sets": known(
            *((each.get("cpu") or {}).get("instruction_sets") for each in hosts)
        ),
        "system": known(*(each.get("system") for each in hosts)),
    }


def bits(run: Mapping[str, Any]) -> str | None:
    """Return one digest of all that a run's bits are known by: its traces, its curve and its final
    value; None where its traces hold no result, which shows nothing."""
    trace = run["trace"]
    if trace is None or not trace["results"]:
        return None
    return sha256(canonical([trace["digest"], trace["algorithm"], run["curve"], run["metric"]]))


def _why_not(name: str, before: Side, after: Side) -> list[str]:
    """Return why a model can't be compared; empty where it can."""
    for side, whose in ((before, "the stored measurement"), (after, "the new measurement")):
        if name not in side.content["models"]:
            return [f"{whose} does not have it"]
    one, other = (side.content["models"][name] for side in (before, after))
    found = [
        f"another {key}: stored {before.content[key]}, now {after.content[key]}"
        for key in SAME_RUNS if before.content[key] != after.content[key]
    ]  # fmt: skip
    return found + _others(one, other, SAME_TASK)


def _others(
    one: Mapping[str, Any], other: Mapping[str, Any], keys: Sequence[str]
) -> list[str]:  # fmt: skip
    return [
        f"another {key}: stored {_short(one[key])}, now {_short(other[key])}; measure the "
        "reference anew"
        for key in keys if one[key] != other[key]
    ]  # fmt: skip


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:28]}..."


def _runs(side: Side, name: str, seeds: int) -> dict[int, judging.Run]:
    return {run["seed"]: _run(run) for run in side.content["models"][name]["runs"][:seeds]}


def _run(run: Mapping[str, Any]) -> judging.Run:
    failure = None
    if run["outcome"] != DONE:
        failure = f"{run['outcome']}: {'; '.join(run['reasons'])}"
    return judging.Run(stored.value(run["metric"]), bits(run), run["converged"], failure)


def _described(
    name: str, before: Side, after: Side, judgement: Judgement,
    runs: tuple[Mapping[int, judging.Run], Mapping[int, judging.Run], str], programs: Path,
    seeds: int,
) -> dict[str, Any]:  # fmt: skip
    verdict, reasons = judgement.verdict, list(judgement.reasons)
    for seed, run in runs[1].items():
        # A model that had failed before does not train any better for that.
        if run.failed and not any(f"seed {seed} failed" in each for each in reasons):
            verdict = judging.FAIL
            reasons.append(f"seed {seed} failed, as it had: {run.failure or 'no finite value'}")
    first = None
    differing = [seed for seed in range(1, seeds + 1) if seed not in judgement.equal_bits]
    if differing:
        first = first_difference(name, before, after, differing, programs)
    one, other = (side.content["models"][name] for side in (before, after))
    if others := _others(one, other, SAME_PROGRAM):
        reasons += [f"{others[0]} (what it came to: {verdict})", *others[1:]]
        verdict = judging.FAIL if verdict == judging.FAIL else NOT_COMPARED
    return {
        "verdict": verdict,
        "reasons": reasons,
        "remarks": remarks(*runs) if differing and verdict != judging.FAIL else [],
        "judgement": _finite(dataclasses.asdict(judgement)),
        "first": first,
    }


def _header(side: Side) -> dict[str, Any]:
    names = ("date", "seedlock", "scheme", "level", "seeds", "lock", "python", "host")
    return {name: side.content[name] for name in names}


def _finite(value: Any) -> Any:
    """Return a value that JSON can hold: what is not finite as text."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
