"""From a round's published folder to what became of its submissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds import checked_part, ledger_lines, shown_runs
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, REVEAL
from seedlock.evaluation.scores import read_record
from seedlock.evaluation.scores.failures import DONE, INFRASTRUCTURE, WAITING
from seedlock.evaluation.scores.read_record import Expected
from seedlock.evaluation.scores.results import (
    IDENTICAL,
    MARKED,
    RUN_BY_ORGANISERS,
    SELF_REPORTED,
    WITHIN,
    Run,
    Submission,
)
from seedlock.evaluation.spot_checks import returned
from seedlock.settings import PORTABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.ledger_lines import Course
    from seedlock.evaluation.rounds.policy import Policy

RUNS = "runs"
"""Folder of the records, below the round's."""

REFUSED = "refused"
"""Class of a run whose record a spot check found not to be the round's."""

REPLAYED = {"IDENTICAL": IDENTICAL, "WITHIN TOLERANCE": WITHIN}


@dataclass(frozen=True)
class Results:
    """What a round's folder tells.

    Attributes:
        policy: the round's.
        submissions: as frozen; none before the freeze.
        seeds: by index; None while they are hidden.
        revealed: whether the secret is public.
    """

    policy: Policy
    submissions: Sequence[Submission]
    seeds: Sequence[int] | None
    revealed: bool


def look(this: Round) -> Results:
    """Return what a round's folder tells.

    Raises:
        BadRound: a step is not of its format or not of the step before, or the ledger is not
            whole, or of another round.
    """
    policy = this.policy
    frozen = this.freeze() if this.has(FREEZE) else {"submissions": []}
    revealed = this.has(REVEAL)
    seeds = None
    if this.has(DRAW) and (revealed or this.draw()["seeds"] is not None):
        seeds = this.seeds()
    if policy.published:
        submissions = _trained_by_authors(this, policy, frozen, seeds)
    else:
        submissions = _trained_by_organisers(this, policy, frozen, seeds)
    return Results(policy, submissions, seeds, revealed)


def _trained_by_organisers(
    this: Round, policy: Policy, frozen: Mapping[str, Any], seeds: Sequence[int] | None
) -> list[Submission]:
    course = _course(this, policy, frozen) if frozen["submissions"] else None
    ends = {} if course is None else {
        (each["submission"], each["seed_index"]): each for each in course.ended
    }  # fmt: skip
    found = []
    for entry in frozen["submissions"]:
        runs, attempts = [], 0
        for index in range(policy.seeds):
            key = (entry["digest"], index)
            standing = (1, "queued", 0) if course is None else course.standing[key]
            begun = standing[0] - (standing[1] == "queued")
            attempts += begun
            if standing[1] == "final":
                runs.append(_ended(this, policy, ends[key], seeds))
            else:
                runs.append(Run(index, begun, WAITING))
        found.append(
            Submission(
                entry["name"], entry["digest"], entry["visibility"], runs, attempts,
                RUN_BY_ORGANISERS,
            )
        )  # fmt: skip
    return found


def _course(this: Round, policy: Policy, frozen: Mapping[str, Any]) -> Course | None:
    """Return what the ledger tells; None where it is not published yet.

    Raises:
        BadRound: it is not whole, or of another round.
    """
    if not (this.folder / ledger_lines.NAME).exists():
        return None
    revealed = this.reveal() if this.has(REVEAL) else None
    course, findings = shown_runs.ledger(
        this.folder, policy, dict(frozen), this.digest(FREEZE), revealed, ()
    )
    if course is None:
        raise BadRound(
            f"{findings[0].said}; allowed: what seedlock ledger export wrote; get "
            f"{ledger_lines.NAME} again"
        )
    return course


def _ended(
    this: Round, policy: Policy, event: Mapping[str, Any], seeds: Sequence[int] | None
) -> Run:
    content, index, attempt = event["content"], event["seed_index"], event["attempt"]
    outcome, state = content["class"], content["state"]
    reasons = [str(each) for each in content["reasons"]]
    path, digest = content["record"], content["record_sha256"]
    if not isinstance(path, str):
        problem = "is not named by the ledger" if state == DONE else None
        return Run(index, attempt, state, outcome, reasons, problem=problem)
    killed = state == INFRASTRUCTURE  # whoever wrote the record was killed, so it may say running
    seed = None if seeds is None else seeds[index]
    expected = Expected(
        path, str(digest), event["submission"], index, attempt, seed, outcome, (policy.level,),
        policy.metrics,
    )  # fmt: skip
    seen = read_record.Seen() if killed else read_record.read(this.folder, expected)
    return Run(
        index, attempt, state, outcome, reasons, path, digest, seen.seconds, seen.metrics,
        seen.hardware, seen.problem,
    )  # fmt: skip


def _trained_by_authors(
    this: Round, policy: Policy, frozen: Mapping[str, Any], seeds: Sequence[int] | None
) -> list[Submission]:
    checks = list(checked_part.all_of(this).values()) if this.has(DRAW) else []
    if any(each.get("draw") != this.digest(DRAW) for each in checks):
        raise BadRound(
            "a spot check's result is of another draw; allowed: those of this round; "
            "seedlock spot-check --verify says more"
        )
    taken = checked_part.taken(checks)
    found = []
    for entry in frozen["submissions"]:
        standings = [
            one for check in checks for one in check["submissions"]
            if one["digest"] == entry["digest"]
        ]  # fmt: skip
        refused = bool(standings) and standings[-1]["standing"] == returned.REFUSED
        runs = []
        for index in range(policy.seeds):
            path = f"{RUNS}/{entry['name']}/{index}-1.json"
            there = seeds is not None and (this.folder / path).exists()
            named = taken.get((entry["digest"], index))
            if refused:
                runs.append(Run(index, int(there), "author-failure", REFUSED, _faults(standings)))
            elif seeds is None or (not there and named is None):
                runs.append(Run(index))
            else:
                expected = Expected(
                    path, None if named is None else named.removeprefix("sha256:"),
                    entry["digest"], index, 1, seeds[index], None, (policy.level, PORTABLE),
                    policy.metrics,
                )  # fmt: skip
                runs.append(_returned(this, expected))
        found.append(
            Submission(
                entry["name"], entry["digest"], entry["visibility"], runs,
                sum(each.attempt for each in runs), _verification(standings),
            )
        )  # fmt: skip
    return found


def _returned(this: Round, expected: Expected) -> Run:
    seen = read_record.read(this.folder, expected)
    index = expected.seed_index
    if seen.problem is not None:
        digest = expected.sha256 or seen.sha256
        problem = seen.problem
        return Run(index, 1, DONE, None, (), expected.path, digest, problem=problem)
    assert seen.outcome is not None
    state = ledger_lines.FINAL.get(seen.outcome, WAITING)  # of the machine: it is made again
    return Run(
        index, 1, state, seen.outcome, seen.reasons, expected.path, seen.sha256, seen.seconds,
        seen.metrics, seen.hardware,
    )  # fmt: skip


def _faults(standings: Sequence[Mapping[str, Any]]) -> list[str]:
    return [printable(str(each), 200) for each in standings[-1]["faults"]]


def _verification(standings: Sequence[Mapping[str, Any]]) -> str:
    """Return what spot checks found: the gravest of all, since a later one can't take it back."""
    if any(each["standing"] == returned.MARKED for each in standings):
        return MARKED
    last = standings[-1] if standings else None
    if last is None or last["standing"] != returned.PASSED:
        return SELF_REPORTED
    verdicts = {
        REPLAYED.get(str(one["verdict"]), SELF_REPORTED)
        for each in standings for one in each["records"] if one["chosen"]
    }  # fmt: skip
    return next((each for each in (SELF_REPORTED, WITHIN, IDENTICAL) if each in verdicts),
                SELF_REPORTED)  # fmt: skip


def problems(submissions: Sequence[Submission]) -> list[str]:
    """Return what could not be read, one line each, without a path."""
    return [
        f"{each.name}, seed index {run.seed_index}: its record {run.problem}"
        for each in submissions for run in each.runs if run.problem is not None
    ]  # fmt: skip
