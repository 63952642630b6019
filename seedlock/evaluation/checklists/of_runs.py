"""Answers about how runs were made and what came of them: seeds, number, spread, time, machines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.checklists.answers import (
    Answer,
    answered,
    fields,
    only_author,
)
from seedlock.evaluation.checklists.facts import some
from seedlock.evaluation.recording import record
from seedlock.evaluation.recording.show_text import size
from seedlock.evaluation.scores.read_record import hardware
from seedlock.evaluation.scores.summaries import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.checklists.facts import Facts, Recorded


def experiments(facts: Facts) -> Answer:
    """Answer whether there are computational experiments."""
    return answered(f"Yes: {_count(facts)}.", fields(facts, "outcome/class"))


def seeds(facts: Facts) -> Answer:
    """Answer how seeds were set."""
    first = facts.records[0].content
    said = (
        f"Every generator was seeded from one root seed ({_seeds(facts)}), by hash with a stream "
        f"per library and process (derivation {first['scheme']}, level {first['level']}); "
        "`seedlock env --seed N` prints each derived value and the call that sets it by hand."
    )
    return answered(said, fields(facts, "seed", "scheme", "level"), facts.unlocked())


def runs(facts: Facts) -> Answer:
    """Answer how many runs are behind the results."""
    doubts = facts.mixed()
    if len({each.content["seed"] for each in facts.records}) < len(facts.records):
        doubts.append("a seed comes more than once: such runs are no further samples")
    said = f"{_count(facts)}, under root seed{'s' * (len(facts.records) > 1)} {_seeds(facts)}."
    return answered(said, fields(facts, "seed", "outcome/class"), doubts)


def selection(facts: Facts) -> Answer:
    """Answer whether all runs are shown."""
    rounds = [each for each in facts.records if "round" in each.content]
    ends = [str(each.content["outcome"]["class"]) for each in facts.records]
    said = f"{_count(facts)}: {', '.join(f'{ends.count(end)} {end}' for end in sorted(set(ends)))}."
    if len(rounds) == len(facts.records):
        said += " All are of a round, whose ledger has every attempt: seedlock round verify."
    evidence = fields(facts, "outcome/class", "round/name", "round/seed_index", "round/attempt")
    return answered(
        said, evidence, ["records alone do not show that none was left out; a round's ledger does"]
    )


def spread(facts: Facts) -> Answer:
    """Answer with mean, deviation and interval of each declared metric over seeds.

    A run that did not end well has no value that counts, as on a board: what it logged last may be
    of its middle.
    """
    found, evidence = [], []
    doubts = [*facts.mixed(), *facts.ends()]
    known: dict[int, Recorded] = {}
    for each in facts.records:
        if each.content["outcome"]["class"] == record.DONE:
            known.setdefault(each.content["seed"], each)
    for name in _declared(facts):
        final = {each.name: each.content["metrics"]["final"].get(name) for each in known.values()}
        values = {of: float(value) for of, value in final.items() if _is_value(value)}
        evidence += [(of, f"metrics.final.{name}", str(value)) for of, value in values.items()]
        of = summary(list(values.values()))
        if of is None or of.sd is None or of.low is None or of.high is None:
            continue
        if of.sd == 0:
            doubts.append(f"{name} is the same under all seeds, which is no spread")
        found.append(
            f"{name}: mean {of.mean:.6g}, sd {of.sd:.3g} (n - 1), 95 % Student-t interval "
            f"{of.low:.6g} to {of.high:.6g}, {of.n} seeds"
        )
    if not found:
        return only_author(
            "no declared metric has values under two seeds: one value has no spread; give the "
            "records of further seeds"
        )
    unlocked = facts.unlocked()
    beside = ", and what was not locked" if unlocked else ""
    said = f"{'; '.join(found)}. What varies is the root seed, with all that is drawn under it"
    said += f"{beside}."
    # A gap is what could be drawn past the seed; at another level much is, as a rule.
    doubts += [each for each in unlocked if "ran at level" in each or "no process left" in each]
    return answered(said, evidence, doubts)


def runtime(facts: Facts) -> Answer:
    """Answer with time and energy."""
    ended = [each.content["usage"] for each in facts.records]
    wall = summary([float(each["wall_s"]) for each in ended if _is_value(each["wall_s"])])
    if wall is None:
        return only_author("no record has a time")
    said = f"{wall.mean:.4g} s of wall time per run on average ({wall.minimum:.4g} to "
    said += f"{wall.maximum:.4g} s, {wall.n} runs)"
    joules = [each["energy_j"] for each in ended if each.get("energy_j") is not None]
    if joules:
        said += f", {sum(joules) / len(joules):.4g} J by the GPUs"
    machines = {hardware(_plain(each.content["host"])) for each in facts.records}
    doubts = ["the runs were on different machines"] if len(machines) > 1 else []
    evidence = fields(facts, "usage/wall_s", "usage/energy_j", "usage/gpu_s")
    return answered(f"{said}.", evidence, doubts)


def compute(facts: Facts) -> Answer:
    """Answer with machines, memory and time."""
    found: dict[str, None] = {}
    doubts = []
    for each in facts.records:
        host = _plain(each.content["host"])
        machine = hardware(host)
        if machine is None:
            doubts.append(f"{each.name} does not name the processor")
        else:
            memory = host.get("memory_bytes")
            has = f", {size(memory)} of memory" if isinstance(memory, int) else ""
            found[f"{machine}{has}"] = None
    if not found:
        return only_author(*doubts)
    peaks = [each.content["usage"].get("peak_memory_bytes") for each in facts.records]
    peak = max((each for each in peaks if each is not None), default=None)
    used = "" if peak is None else f", at most {size(peak)} used by a run"
    took = runtime(facts)
    evidence = fields(facts, "host/cpu/model", "host/memory_bytes", "host/gpu/devices",
                      "usage/wall_s", "usage/peak_memory_bytes", "usage/gpu_s")  # fmt: skip
    return answered(f"{some(list(found))}{used}; {took.said}", evidence, [*doubts, *took.reasons])


def series(facts: Facts) -> Answer:
    """Answer which curves were recorded."""
    names = sorted({name for each in facts.records for name in each.content["metrics"]["series"]})
    if not names:
        return only_author("no record has a metric by steps")
    evidence = [
        (each.name, f"metrics.series.{name}", f"{len(points)} steps")
        for each in facts.records
        for name, points in each.content["metrics"]["series"].items()
    ]
    return answered(f"Recorded by step: {some(names)}.", evidence)


def metrics(facts: Facts) -> Answer:
    """Answer which metrics count."""
    names = _declared(facts)
    if not names:
        return only_author("no record declares a metric")
    words = {"max": "higher is better", "min": "lower is better"}
    said = "; ".join(
        f"{name} ({words[each['direction']]}{', in ' + each['unit'] if each['unit'] else ''})"
        for name, each in names.items()
    )
    evidence = [
        (each.name, "metrics.declared", ", ".join(of["name"] for of in declared))
        for each in facts.records
        if (declared := each.content["metrics"]["declared"])
    ]
    known = {name for name, _, _ in evidence}
    doubts = [f"{each.name} declares none" for each in facts.records if each.name not in known]
    return answered(f"Declared before the run: {said}.", evidence, doubts)


def expectation(facts: Facts) -> Answer:
    """Answer what a deployed model is expected to do."""
    found = spread(facts)
    if not found.said:
        return found
    more = " `seedlock watch --expect` with these records compares a deployed model's log with it."
    return Answer(found.status, found.said + more, found.reasons, found.evidence)


def _count(facts: Facts) -> str:
    ended = sum(each.content["outcome"]["class"] == record.DONE for each in facts.records)
    count = len(facts.records)
    return f"{count} recorded run{'s' * (count > 1)}, {ended} of which ended well"


def _seeds(facts: Facts) -> str:
    return some([str(each.content["seed"]) for each in facts.records])


def _declared(facts: Facts) -> dict[str, Mapping[str, str]]:
    return {
        each["name"]: each for of in facts.records for each in of.content["metrics"]["declared"]
    }


def _is_value(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _plain(host: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of a host is of the form that it should have: its schema says only `object`."""
    kept: dict[str, Any] = {}
    for key in ("cpu", "threads", "gpu"):
        if isinstance(host.get(key), dict):
            kept[key] = dict(host[key])
    devices = kept.get("gpu", {}).get("devices")
    if "gpu" in kept:
        rows = devices if isinstance(devices, list) else []
        kept["gpu"]["devices"] = [each for each in rows if isinstance(each, dict)]
    return {**kept, "memory_bytes": host.get("memory_bytes")}
