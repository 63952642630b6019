"""Checklists filled in from records: each point with its answer, and never more than they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.evaluation.checklists import badges, of_artifacts, of_runs
from seedlock.evaluation.checklists.answers import PARTLY, STATUSES, Answer, only_author

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seedlock.evaluation.checklists.facts import Facts
    from seedlock.evaluation.checklists.sheets import Checklist, Point

RULES: Mapping[str, Callable[[Facts], Answer]] = {
    rule.__name__: rule
    for rule in (
        badges.functional, badges.reproduced, of_artifacts.access, of_artifacts.artifacts,
        of_artifacts.code, of_artifacts.command, of_artifacts.data, of_artifacts.dependencies,
        of_artifacts.gaps, of_artifacts.infrastructure, of_artifacts.licences,
        of_artifacts.outputs, of_artifacts.reads, of_artifacts.replayed, of_artifacts.rerun,
        of_artifacts.sealed, of_artifacts.settings, of_artifacts.software, of_runs.compute,
        of_runs.expectation, of_runs.experiments, of_runs.metrics, of_runs.runs, of_runs.runtime,
        of_runs.seeds, of_runs.selection, of_runs.series, of_runs.spread,
    )
}  # fmt: skip
"""Functions of the facts alone, by the names that checklists' files give them."""

ACM = "acm"


def answer(point: Point, facts: Facts) -> Answer:
    """Return what records say to a point.

    A record that says `running` proves nothing. Where a run did not end well, or a part of the
    point is left to the author, the answer is `partly` at best.
    """
    if point.rule is None:
        return only_author()
    if facts.running:
        return only_author(*(f"{name} says running and proves nothing" for name in facts.running))
    found = RULES[point.rule](facts)
    ends = [each for each in facts.ends() if each not in found.reasons]
    if ends:
        found = found.at_most(PARTLY, ends)
    return found.at_most(PARTLY, ()) if point.left is not None else found


def filled(checklists: Sequence[Checklist], facts: Facts) -> dict[str, Any]:
    """Return checklists with their answers, JSON-ready."""
    return {
        "records": [
            {"name": each.name, "sha256": each.sha256, "status": each.content["status"]}
            for each in facts.records
        ],
        "replays": [
            {"name": each.name, "sha256": each.sha256, "of": each.of, "verdict": each.verdict}
            for each in facts.replays
        ],
        "checklists": [_filled(each, facts) for each in checklists],
    }


def _filled(checklist: Checklist, facts: Facts) -> dict[str, Any]:
    points = []
    for each in checklist.points:
        found = answer(each, facts)
        points.append({
            "id": each.id, "name": each.name, "about": each.about, "left": each.left,
            **found.as_dict(),
        })  # fmt: skip
    counted = {status: sum(each["status"] == status for each in points) for status in STATUSES}
    return {
        "id": checklist.id,
        "title": checklist.title,
        "edition": checklist.edition,
        "source": checklist.source,
        "seen": checklist.seen,
        "copy": checklist.copy,
        "counts": counted,
        "points": points,
        "badges": badges.badges(facts) if checklist.id == ACM else None,
    }
