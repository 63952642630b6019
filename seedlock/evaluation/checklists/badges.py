"""Which badges of ACM's artifact review records and replays support, on which conditions.

A badge is given by people who looked; a record is what they can look at. So none is ever called
given, and each says what has to be true beside what the records show. The definitions are those of
version 1.1; seedlock/evaluation/checklists/points/acm.toml has the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.checklists.answers import (
    PARTLY,
    Answer,
    answered,
    only_author,
)
from seedlock.evaluation.checklists.of_artifacts import (
    REPLAYED,
    code,
    command,
    data,
    dependencies,
    outputs,
    replayed,
)

if TYPE_CHECKING:
    from seedlock.evaluation.checklists.facts import Facts

AVAILABLE = "Artifacts Available"
FUNCTIONAL = "Artifacts Evaluated, Functional"
REPRODUCED = "Results Validated, Reproduced"


def functional(facts: Facts) -> Answer:
    """Answer whether the artifacts are complete and run."""
    parts = [code(facts), dependencies(facts), data(facts), command(facts), outputs(facts)]
    known = [each for each in parts if each.said]
    reasons = tuple(dict.fromkeys(_not_functional(facts)))
    evidence = tuple(dict.fromkeys(row for each in known for row in each.evidence))
    return answered(" ".join(each.said for each in known), evidence, reasons)


def reproduced(facts: Facts) -> Answer:
    """Answer whether the results were come to again."""
    if not any(each.verdict in REPLAYED for each in facts.replays):
        return only_author(
            "no replay that came out the same was given: say --replay REPLAY.json",
            *(f"{each.name}: {each.verdict}" for each in facts.replays),
        )
    return replayed(facts).at_most(PARTLY, _not_functional(facts))


def badges(facts: Facts) -> list[dict[str, Any]]:
    """Return each badge with whether the records support it, what is missing, and conditions."""
    running = [f"{name} says running and proves nothing" for name in facts.running]
    lacks = running or _not_functional(facts)
    again = running or _not_reproduced(facts)
    return [
        _badge(AVAILABLE, ["records do not say where anything can be had"],
               ["code, data and records lie in an archive that lasts, under an identifier"]),
        _badge(FUNCTIONAL, lacks, ["they are documented", "reviewers ran them and agree"]),
        _badge(REPRODUCED, again, ["who replayed them is not of the authors",
                                   "these metrics are the paper's main results"]),
    ]  # fmt: skip


def _badge(name: str, missing: list[str], conditions: list[str]) -> dict[str, Any]:
    return {
        "badge": name,
        "supported": not missing,
        "missing": missing,
        "conditions": conditions,
    }


def _not_functional(facts: Facts) -> list[str]:
    found = [*facts.ends(), *facts.mixed(), *facts.unpinned(), *facts.unversioned()]
    found += [*facts.unverified(), *facts.unseen()]
    if any(each.content["source"] is None and each.content["image"] is None
           for each in facts.records):  # fmt: skip
        found.append("neither source nor image was recorded")
    return list(dict.fromkeys(found))


def _not_reproduced(facts: Facts) -> list[str]:
    good = {each.of for each in facts.replays if each.verdict in REPLAYED}
    bad = [f"the replay of {each.of} came out {each.verdict}" for each in facts.replays
           if each.verdict not in REPLAYED]  # fmt: skip
    left = [each.name for each in facts.records if each.name not in good]
    if left:
        bad.append(f"no replay of {', '.join(left[:4])}{' and others' if len(left) > 4 else ''} "
                   "that came out the same")  # fmt: skip
    return [*facts.ends(), *bad]
