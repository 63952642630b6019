"""`seedlock check --policy`: a submission held against the round that it is meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.errors import BadSetting, BadSubmission, printable
from seedlock.evaluation.rounds import formats, handed_in, policy_file
from seedlock.evaluation.rounds.policy import Policy, from_dict
from seedlock.evaluation.rounds.round_files import raw_of
from seedlock.evaluation.sealing.limits import parse
from seedlock.evaluation.submission import submission_file
from seedlock.evaluation.submission.points import Point, failed, passed

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.sealing.limits import Limits
    from seedlock.evaluation.submission.submission_file import Submission

NAME = "policy"
"""The point's."""

CURES = {
    "name": "choose another name",
    "metric": "declare the round's metrics in [metrics.NAME], with its direction, and log them",
    "limit": "ask for no more in [limits]; the program has to do with what the round gives",
    "image": "name the round's image in [image], or bring a Dockerfile that begins with it",
    "data": "pin the round's own copy in data.lock",
}
"""What to do, by the first word of what `handed_in.unfit` says."""


def read(path: Path) -> Policy:
    """Return the policy in an organiser's policy.toml, or in the opening.json of a round.

    Raises:
        BadRound: the file is not there, or a JSON object that is no opening.
        BadPolicy: it is no TOML, or says what is not allowed.
    """
    raw = raw_of(path)
    # No TOML begins so.
    if raw.lstrip().startswith(b"{"):
        return from_dict(formats.parse(path, formats.OPENING, raw)["policy"])
    return policy_file.parse(path, raw)


def limits(submission: Submission, policy: Policy | None) -> Limits:
    """Return the limits of a submission's runs: its own, or within a round the smaller ones.

    Raises:
        BadSubmission: one of its own is not allowed.
    """
    own = submission.limits
    try:
        return parse(own) if policy is None else handed_in.smaller(policy.limits, own)
    except BadSetting as problem:
        file = printable(str(submission.folder / submission_file.NAME), 200)
        raise BadSubmission(f"{file}: [limits]: {problem.args[0]}") from problem


def point(policy: Policy, submission: Submission) -> Point:
    """Return whether a round with this policy would take the submission, with cures.

    Raises:
        BadSetting: a limit of the submission's is none.
        BadDataLock: its data.lock can't be read.
    """
    wrong = handed_in.unfit(policy, submission)
    if not wrong:
        said = f"{policy.name} takes it, level {policy.level} ({policy.digest})"
        return passed(NAME, said)
    cures = dict.fromkeys(CURES[each.partition(" ")[0]] for each in wrong)
    return failed(NAME, f"{policy.name} would refuse it", "; ".join(cures), wrong)
