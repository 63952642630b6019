"""Answers about what runs were made of: code, data, libraries, isolation, results, replays."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.checklists.answers import (
    PARTLY,
    Answer,
    answered,
    fields,
    only_author,
)
from seedlock.evaluation.checklists.facts import some
from seedlock.evaluation.checklists.of_runs import compute
from seedlock.evaluation.recording.show_text import size

if TYPE_CHECKING:
    from seedlock.evaluation.checklists.facts import Facts

REPLAYED = ("IDENTICAL", "WITHIN TOLERANCE")
"""Verdicts of replays that came out as the recorded run, or near enough."""


def gaps(facts: Facts) -> Answer:
    """Answer what of the runs' randomness could not be locked: a limit that records know."""
    found = facts.unlocked()
    if not found:
        return answered("The records name nothing that was not locked.",
                        fields(facts, "level"))  # fmt: skip
    return answered(f"Not locked: {'; '.join(found)}.", fields(facts, "level"))


def code(facts: Facts) -> Answer:
    """Answer which code ran."""
    sources = {each.content["source"]["digest"]: each.content["source"]
               for each in facts.records if each.content["source"] is not None}  # fmt: skip
    if not sources:
        images = {each.content["image"]["id"] for each in facts.records if each.content["image"]}
        if not images:
            return only_author("no source was recorded")
        said = f"It is in the image {some(sorted(images))}."
        return answered(said, fields(facts, "image/id"), facts.unpinned())
    said = "; ".join(
        f"{digest}, {of['files']} files, revision {of['revision'] or 'unknown'}"
        + (f", with {len(of['dirty'])} files that were not committed" if of["dirty"] else "")
        for digest, of in sources.items()
    )
    evidence = fields(facts, "source/digest", "source/revision")
    doubts = [*facts.unpinned(), *(["the runs are of different code"] if len(sources) > 1 else [])]
    return answered(f"The code that ran: {said}.", evidence, doubts)


def software(facts: Facts) -> Answer:
    """Answer which libraries ran, in which versions."""
    found: dict[str, set[str]] = {}
    for each in facts.records:
        for name, version in _versions(each.content):
            found.setdefault(name, set()).add(version)
    if not found:
        return only_author("no process reported a library")
    said = ", ".join(f"{name} {' and '.join(sorted(of))}" for name, of in sorted(found.items()))
    held = "All versions are those of the lock. " if not facts.unversioned() else ""
    doubts = facts.unversioned()
    if any(len(of) > 1 for of in found.values()):
        doubts.append("the runs used different versions")
    evidence = fields(facts, "lock/sha256", "image/id", "host/python", "host/system")
    return answered(f"{held}Libraries that the runs imported: {said}.", evidence, doubts)


def dependencies(facts: Facts) -> Answer:
    """Answer what specifies the environment."""
    locks = sorted({each.content["lock"]["sha256"] for each in facts.records
                    if each.content["lock"] is not None})  # fmt: skip
    images = sorted({each.content["image"]["id"] for each in facts.records
                     if each.content["image"] is not None})  # fmt: skip
    if not locks and not images:
        return only_author("neither lock nor image was recorded")
    parts = [f"the lock file with SHA-256 {some(locks)}"] if locks else []
    parts += [f"the image {some(images)}"] if images else []
    evidence = fields(facts, "lock/sha256", "image/id", "image/name")
    return answered(f"Specified by {' and '.join(parts)}.", evidence, facts.unversioned())


def infrastructure(facts: Facts) -> Answer:
    """Answer with hardware and software."""
    machines, libraries = compute(facts), software(facts)
    known = [each for each in (machines, libraries) if each.said]
    if not known:
        return only_author(*machines.reasons, *libraries.reasons)
    systems = {str(each.content["host"].get("system")) for each in facts.records}
    said = " ".join([*(each.said for each in known), f"Operating system: {some(sorted(systems))}."])
    evidence = [*machines.evidence, *libraries.evidence]
    return answered(said, evidence, [*machines.reasons, *libraries.reasons])


def data(facts: Facts) -> Answer:
    """Answer which data was declared."""
    sets = _sets(facts)
    if not sets:
        return only_author(
            "no data was declared: what the program read is not pinned", *facts.unseen()
        )
    said = "; ".join(
        f"{of['name']}, {size(of['size'])}, {of['sha256']}, licence {of['licence']}" for of in sets
    )
    evidence = [(each.name, f"data.{of['name']}.sha256", of["sha256"])
                for each in facts.records for of in each.content["data"]]  # fmt: skip
    doubts = [*facts.without("data"), *facts.unverified(), *facts.unseen()]
    return answered(f"Declared sets: {said}.", evidence, doubts)


def licences(facts: Facts) -> Answer:
    """Answer which licences data was declared with."""
    sets = _sets(facts)
    if not sets:
        return only_author("no data was declared")
    said = "; ".join(f"{of['name']}: {of['licence']}" for of in sets)
    unknown = [of["name"] for of in sets if of["licence"] == "unknown"]
    doubts = [f"the licence of {some(unknown)} is not known"] if unknown else []
    doubts += facts.without("data")
    evidence = [(each.name, f"data.{of['name']}.licence", of["licence"])
                for each in facts.records for of in each.content["data"]]  # fmt: skip
    return answered(f"As declared in data.lock: {said}.", evidence, doubts)


def reads(facts: Facts) -> Answer:
    """Answer whether the runs read anything beside code and declared data."""
    said = "The runs read nothing but their code, declared data and the environment."
    doubts = [*facts.unseen(), *facts.unpinned()]
    if doubts:
        said = "What the runs read is known in part."
    return answered(said, fields(facts, "reads/complete", "reads/by"), doubts)


def sealed(facts: Facts) -> Answer:
    """Answer whether the runs were sealed."""
    doubts = facts.unsealed()
    if all(each.content["guarantees"] is None for each in facts.records):
        return only_author("the runs were not sealed: nobody looked what they depend on")
    kept = "Every promise of a sealed run was held." if not doubts else "The runs were sealed."
    evidence = [
        (each.name, f"guarantees.{name}", f"held by {promise.get('by')}")
        for each in facts.records
        for name, promise in (each.content["guarantees"] or {}).items()
        if isinstance(promise, dict) and promise.get("held") is True
    ]
    return answered(kept, evidence, doubts)


def settings(facts: Facts) -> Answer:
    """Answer with what a record knows of hyper-parameters: where they stand."""
    found = command(facts)
    more = " Settings are what this command and the code of that digest say."
    return Answer(PARTLY, found.said + more, ("a record holds no list of hyper-parameters",
                  *found.reasons), found.evidence)  # fmt: skip


def command(facts: Facts) -> Answer:
    """Answer with the exact command."""
    commands = sorted({shlex.join(each.content["command"]) for each in facts.records})
    said = (
        f"The command: {some(commands)}, under the root seeds in the evidence; `seedlock replay` "
    )
    said += "runs it again."
    return answered(said, fields(facts, "command", "seed"), facts.mixed())


def outputs(facts: Facts) -> Answer:
    """Answer what came out."""
    count = sum(len(each.content["outputs"]) for each in facts.records)
    if not count:
        return only_author("no file came out of the runs")
    evidence = [
        (each.name, f"outputs.{of['path']}", of["sha256"])
        for each in facts.records
        for of in each.content["outputs"]
    ]
    said = f"{count} files came out of the runs, each with its digest."
    return answered(said, evidence, facts.without("outputs"))


def access(facts: Facts) -> Answer:
    """Answer what is to be had, by digest, and with which command."""
    parts = [code(facts), data(facts), dependencies(facts), command(facts)]
    return _together(parts)


def artifacts(facts: Facts) -> Answer:
    """Answer what there is to put into an archive."""
    found = _together([code(facts), dependencies(facts), outputs(facts)])
    more = " `seedlock bundle` packs them into one file, whose SHA-256 it prints."
    return Answer(found.status, found.said + more, found.reasons, found.evidence)


def rerun(facts: Facts) -> Answer:
    """Answer whether a run can be done again from what is recorded."""
    found = _together([code(facts), dependencies(facts), command(facts), replayed(facts)])
    doubts = [*facts.unlocked(), *facts.unseen()]
    sets = _sets(facts)
    said = found.said + (
        f" Data: {', '.join(of['name'] for of in sets)}, by digest." if sets else ""
    )
    return Answer(found.status, said, found.reasons, found.evidence).at_most(
        PARTLY if doubts else found.status, doubts
    )


def replayed(facts: Facts) -> Answer:
    """Answer whether a run was done again, and how it came out."""
    if not facts.replays:
        found = fields(facts, "trace/digest")
        return Answer(PARTLY, "The records have what a replay is compared with.",
                      ("no replay was given: say --replay REPLAY.json",), tuple(found))  # fmt: skip
    said = "; ".join(f"the replay of {each.of} came out {each.verdict}" for each in facts.replays)
    bad = [each for each in facts.replays if each.verdict not in REPLAYED]
    doubts = [f"{each.name}: {each.verdict}" for each in bad]
    left = len(facts.records) - len({each.of for each in facts.replays})
    if left:
        doubts.append(f"{left} of {len(facts.records)} records were not replayed")
    if any(each.verdict == "WITHIN TOLERANCE" for each in facts.replays):
        doubts.append("metrics were near enough, other bits differ")
    evidence = [(each.of, f"{each.name}: verdict", f"{each.verdict} ({each.sha256})")
                for each in facts.replays]  # fmt: skip
    return answered(f"{said[0].upper()}{said[1:]}.", evidence, doubts)


def _together(parts: list[Answer]) -> Answer:
    known = [each for each in parts if each.said]
    reasons = tuple(dict.fromkeys(reason for each in parts for reason in each.reasons))
    if not known:
        return only_author(*reasons)
    evidence = tuple(dict.fromkeys(row for each in known for row in each.evidence))
    return answered(" ".join(each.said for each in known), evidence, reasons)


def _sets(facts: Facts) -> list[Any]:
    """Return the declared sets, those that differ in digest or licence apart."""
    found = {
        (of["name"], of["sha256"], of["licence"]): of
        for each in facts.records
        for of in each.content["data"]
    }
    return list(found.values())


def _versions(content: Any) -> list[tuple[str, str]]:
    return [
        (str(name), str(library["version"]))
        for report in content["processes"]
        if isinstance(report.get("libraries"), dict)
        for name, library in report["libraries"].items()
        if isinstance(library, dict) and library.get("version")
    ]
