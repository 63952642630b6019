"""Submissions as they lie in a folder at the deadline, held against the round's policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seedlock.errors import BadRound, SeedlockError, printable
from seedlock.evaluation.data.data_lock import declared
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds.policy import PSEUDONYM
from seedlock.evaluation.sealing.limits import parse, text
from seedlock.evaluation.submission import submission_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.evaluation.sealing.limits import Limits
    from seedlock.evaluation.submission.submission_file import Submission


def gather(folder: Path, policy: Policy) -> list[dict[str, str]]:
    """Return name, digest and visibility of each submission, as `steps.freeze_round` takes them.

    Args:
        folder: with a folder for each submission; files and hidden folders in it don't count.
        policy: which each of them has to fit.

    Raises:
        BadRound: there is no such folder, or submissions don't fit; all of them are named.
        OSError: a file can't be read.
    """
    if not folder.is_dir():
        raise BadRound(
            f"{printable(str(folder), 200)} is no folder; allowed: one with a folder for each "
            "submission; say --submissions DIR"
        )
    found, wrong = [], []
    for each in sorted(folder.iterdir()):
        if not each.is_dir() or each.name.startswith("."):
            continue
        try:
            submission = submission_file.read(each.resolve())
            wrong += [f"{printable(each.name)}: {said}" for said in unfit(policy, submission)]
            found.append(entry(submission, policy))
        except SeedlockError as problem:
            wrong.append(f"{printable(each.name)}: {str(problem).partition(' [docs/')[0]}")
    if wrong:
        raise BadRound(
            f"{len(wrong)} of what was handed in does not fit: {'; '.join(wrong)}; allowed: what "
            "the policy says; nothing was frozen; take out or mend what is named"
        )
    return found


def entry(submission: Submission, policy: Policy) -> dict[str, str]:
    """Return name, digest and visibility of a submission, as the round publishes them.

    Raises:
        BadRound, SourceTooLarge, OSError: as `digest_of`.
    """
    digest, visibility = digest_of(submission), submission.visibility
    name = policy.published_name(submission.name, digest, visibility)
    return {"name": name, "digest": digest, "visibility": visibility}


def digest_of(submission: Submission) -> str:
    """Return the digest of a submission's folder, as a freeze has it.

    Raises:
        BadRound: git ignores the submission, so that its digest would be that of nothing.
        SourceTooLarge, OSError: its files can't be read.
    """
    files = source.look(submission.folder)
    if submission_file.NAME not in files.files:
        raise BadRound(
            f"git ignores {printable(str(submission.folder), 200)}, so that its digest would not "
            "hold its files; allowed: a folder outside of that repository; move it"
        )
    return files.digest


def unfit(policy: Policy, submission: Submission) -> list[str]:
    """Return in what a submission does not fit a policy; nothing where it does.

    Raises:
        BadSetting: a limit of the submission's is none.
        BadDataLock: its data.lock can't be read.
    """
    wrong = []
    if policy.pseudonyms and PSEUDONYM.fullmatch(submission.name):
        wrong.append(f"name {submission.name} looks like a pseudonym, which the round gives")
    own = {each.name: each.direction for each in submission.metrics}
    for metric in policy.metrics:
        if own.get(metric.name) != metric.direction:
            said = own.get(metric.name, "missing")
            wrong.append(f"metric {metric.name} is {said}, the policy says {metric.direction}")
    mine, most = parse(submission.limits).as_dict(), policy.limits.as_dict()
    for name in submission.limits:
        key = "seconds" if name == "time" else name
        if mine[key] > most[key]:
            given, allowed = text(name, mine[key]), text(name, most[key])
            wrong.append(f"limit {name} is {given}, the policy allows {allowed}")
    if policy.image is not None and submission.image not in (None, policy.image["name"]):
        wrong.append(f"image is {submission.image}, the policy says {policy.image['name']}")
    for data in () if submission.data is None else declared(submission.data):
        if policy.data.get(data.name, data.digest) != data.digest:
            wrong.append(f"data {data.name} has another digest than the policy says")
    return [printable(each, 200) for each in wrong]


def smaller(of_round: Limits, given: Mapping[str, str]) -> Limits:
    """Return a round's limits, each with the submission's own where that is smaller.

    Args:
        of_round: the policy's.
        given: the submission's, as `limits.parse` takes them.

    Raises:
        BadSetting: one of these is not allowed.
    """
    own = parse(given)
    names = ("seconds" if name == "time" else name for name in given)
    lower = {name: min(getattr(of_round, name), getattr(own, name)) for name in names}
    return replace(of_round, **lower)
