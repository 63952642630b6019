"""The standings of a round: one document with every number of the board (docs/scores.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds.canonical import strict_object
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.scores import round_results, scoring, summaries
from seedlock.evaluation.scores.failures import DONE, FAILED, INFRASTRUCTURE, WAITING
from seedlock.evaluation.scores.results import MARKED, PUBLIC, VERIFICATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.evaluation.scores.results import Run, Submission

FORMAT = "seedlock-standings"
VERSION = 1
"""History: 1, the first."""

KEYS = {
    "format", "version", "round", "policy_digest", "rule", "trained_by", "complete", "revealed",
    "verdict", "seeds", "problems", "metrics", "submissions", "comparisons",
}  # fmt: skip


@dataclass(frozen=True)
class Label:
    """What somebody knows about a submission beside the round's folder.

    Attributes:
        verification: one of `results.VERIFICATIONS`.
    """

    verification: str

    def __post_init__(self) -> None:
        if self.verification not in VERIFICATIONS:
            raise ValueError(self.verification)


@dataclass(frozen=True)
class Standings:
    """What a board shows.

    Attributes:
        content: JSON-ready; docs/scores.md has every key.
    """

    content: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the document, JSON-ready."""
        return dict(self.content)

    def as_bytes(self) -> bytes:
        """Return its file: equal standings have equal bytes, without NaN."""
        text = json.dumps(
            self.content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False
        )
        return f"{text}\n".encode()

    @property
    def complete(self) -> bool:
        """Whether every run of every submission has ended, and each value could be read."""
        return bool(self.content["complete"])

    def ordered(self, metric: str) -> list[dict[str, Any]]:
        """Return the submissions by their mean in a metric, best first; those without one last.

        An order is no ranking: ranks and groups say who is told apart.

        Raises:
            KeyError: there is no such metric.
        """
        sign = -1 if self.content["metrics"][metric]["direction"] == "max" else 1

        def key(each: dict[str, Any]) -> tuple[bool, float, str]:
            mean = each["scores"][metric]["mean"]
            return mean is None, 0.0 if mean is None else sign * mean, each["name"]

        return sorted(self.content["submissions"], key=key)


def from_dict(content: Mapping[str, Any]) -> Standings:
    """Return the standings that `as_dict` described.

    Raises:
        BadRound: it is of another format, or keys are missing.
    """
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        given = f"{content.get('format')} version {content.get('version')}"
        raise BadRound(
            f"'{printable(given, 60)}' are no standings; allowed: {FORMAT} version {VERSION}"
        )
    missing = KEYS - content.keys()
    if missing:
        raise BadRound(
            f"standings lack {', '.join(sorted(missing))}; allowed: what seedlock wrote; get them "
            "again"
        )
    return Standings(dict(content))


def from_bytes(raw: bytes) -> Standings:
    """Return the standings that `as_bytes` wrote.

    Raises:
        BadRound: they are none.
    """
    try:
        content = strict_object(raw)
    except ValueError as problem:
        raise BadRound(
            f"the standings are no JSON object: {printable(str(problem), 80)}; allowed: what "
            "seedlock wrote; get them again"
        ) from problem
    return from_dict(content)


def of_round(
    folder: Path, labels: Mapping[str, Label] | None = None, verdict: str | None = None
) -> Standings:  # fmt: skip
    """Return the standings of a round from its published folder.

    A record that is missing, or not the one that the ledger names, gives no value; it is a line in
    `problems`, and the standings are not complete.

    Args:
        folder: the round's: opening, freeze, draw, ledger, reveal, spot checks, records, as far as
            they are there.
        labels: by a submission's digest, as of replays that somebody returned. A submission that a
            spot check marked stays marked.
        verdict: word of `seedlock round verify`, where somebody asked.

    Raises:
        BadRound: a file of the round is not what it has to be.
    """
    found = round_results.look(Round(folder))
    labels = labels or {}
    submissions = [
        replace(each, verification=labels[each.digest].verification)
        if each.digest in labels and each.verification != MARKED else each
        for each in found.submissions
    ]  # fmt: skip
    return build(
        found.policy, submissions,
        seeds=None if found.seeds is None else [str(each) for each in found.seeds],
        revealed=found.revealed, verdict=verdict, problems=round_results.problems(submissions),
    )  # fmt: skip


def build(
    policy: Policy,
    submissions: Sequence[Submission],
    *,
    seeds: Sequence[str] | None = None,
    revealed: bool = False,
    verdict: str | None = None,
    problems: Sequence[str] = (),
) -> Standings:
    """Return the standings of a round's submissions.

    Args:
        policy: the round's.
        submissions: as frozen, each with a run per seed index.
        seeds: in the order of their indices; None while they are hidden.
        revealed: whether the secret is public.
        verdict: word of `seedlock round verify`, where somebody asked.
        problems: what could not be read, one line each; such standings are not complete.

    Raises:
        ValueError: a value is no finite number.
    """
    rule = scoring.Rule(policy.failed, policy.seeds, policy.compare)
    scores, comparisons = {}, {}
    for metric in policy.metrics:
        scores[metric.name], comparisons[metric.name] = scoring.score(metric, submissions, rule)
    ended = all(WAITING not in each.states for each in submissions)
    return Standings({
        "format": FORMAT,
        "version": VERSION,
        "round": policy.name,
        "policy_digest": policy.digest,
        "rule": rule.as_dict(),
        "trained_by": policy.train,
        "complete": bool(submissions) and ended and not problems,
        "revealed": revealed,
        "verdict": verdict,
        "seeds": None if seeds is None else list(seeds),
        "problems": list(problems),
        "metrics": {
            each.name: {"direction": each.direction, "unit": each.unit} for each in policy.metrics
        },
        "submissions": [
            _submission(each, policy, {name: found[place] for name, found in scores.items()})
            for place, each in enumerate(submissions)
        ],
        "comparisons": comparisons,
    })  # fmt: skip


def _submission(of: Submission, policy: Policy, scores: dict[str, Any]) -> dict[str, Any]:
    public, states = of.visibility == PUBLIC, of.states
    took = [each.seconds for each in of.runs if each.state == DONE and each.seconds is not None]
    runtime = summaries.summary(took)
    return {
        "name": of.name,
        "digest": of.digest,
        "visibility": of.visibility,
        "planned": policy.seeds,
        "ok": states.count(DONE),
        "failed": sum(states.count(each) for each in FAILED),
        "infrastructure": states.count(INFRASTRUCTURE),
        "waiting": states.count(WAITING),
        "unread": sum(each.state == DONE and each.problem is not None for each in of.runs),
        "verification": of.verification,
        "attempts": of.attempts,
        "runs": [_run(each, public) for each in of.runs],
        "hardware": of.hardware if public else None,
        "runtime": None if runtime is None else runtime.as_dict(),
        "scores": scores,
    }


def _run(of: Run, public: bool) -> dict[str, Any]:
    found = {
        "seed_index": of.seed_index,
        "attempt": of.attempt,
        "state": of.state,
        "class": of.outcome,
        "record": of.record if public else None,
        "record_sha256": of.record_sha256,
        "seconds": of.seconds,
        "metrics": dict(of.metrics),
        "problem": of.problem,
    }
    return {**found, "reasons": list(of.reasons)} if public else found
