"""The submissions that an evaluation was given, against those that the round froze."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadDataLock, BadSetting, BadSubmission, NotFrozen
from seedlock.evaluation.data import data_lock
from seedlock.evaluation.file_digests import NotDigestible
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds.formats import FREEZE
from seedlock.evaluation.rounds.handed_in import smaller
from seedlock.evaluation.submission import submission_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.container_engine import Image
    from seedlock.evaluation.ledger.ledger import Ledger
    from seedlock.evaluation.recording.metrics import Metric
    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.evaluation.sealing.limits import Limits
    from seedlock.evaluation.submission.submission_file import Submission


REJECTED = "rejected by the organiser"
UNTOLD = "not within the round's policy"
"""Why nothing of a submission is run, in words of the organiser's own."""


@dataclass
class Entry:
    """A submission of the round.

    Attributes:
        submission: what was handed in, by its published name.
        digest: of its folder, as it was frozen.
        limits: the round's, or the submission's own where they are smaller.
        metrics: the round's, then further ones that the submission declares.
        image: what its runs run in; None for this machine's own environment.
        refused: why none of its runs is started and all count as failed; empty for a good one.
        trace, trace_steps, in_git: as a `Unit` has them.
    """

    submission: Submission
    digest: str
    limits: Limits
    metrics: tuple[Metric, ...]
    image: Image | None = None
    refused: str = ""
    trace: str = "step"
    trace_steps: str = ""
    in_git: bool = True

    @property
    def publicly_refused(self) -> str:
        """`refused` as the ledger may say it, which is published: of a private submission nothing
        is told that its author wrote."""
        private = self.submission.visibility != "public"
        return UNTOLD if private and self.refused not in ("", REJECTED) else self.refused


def entries(
    frozen: Sequence[Mapping[str, Any]], folders: Sequence[Path], policy: Policy
) -> list[Entry]:
    """Return the submissions in folders, in their order.

    Args:
        frozen: what the round froze, each with `name` and `digest`.
        folders: absolute paths.
        policy: the round's.

    Raises:
        BadSubmission: a folder holds none.
        NotFrozen: one is not among those that were frozen, or changed since, or is given twice.
        OSError: a file can't be read.
    """
    known = {(each["name"], each["digest"]) for each in frozen}
    names = {each["name"]: each["digest"] for each in frozen}
    found: list[Entry] = []
    for folder in folders:
        entry = _entry(folder, policy)
        name = entry.submission.name
        if name not in names:
            raise NotFrozen(
                f"'{name}' in {folder} was not frozen; allowed: {', '.join(sorted(names)[:10])}"
                f"{' ...' if len(names) > 10 else ''}; leave it out, for it came too late"
            )
        if (name, entry.digest) not in known:
            raise NotFrozen(
                f"'{name}' in {folder} is {entry.digest}; allowed: what was frozen, {names[name]}; "
                "get the files that were handed in"
            )
        if any(name == each.submission.name for each in found):
            raise NotFrozen(f"'{name}' is given twice; allowed: each submission once")
        found.append(entry)
    return found


def enter(ledger: Ledger, this: Round, found: Sequence[Entry]) -> None:
    """Bind a ledger to a round, and enter the submissions that it does not have yet.

    Raises:
        BadLedger: it is another round's.
    """
    policy = this.policy
    freeze = this.digest(FREEZE).removeprefix("sha256:")
    ledger.enter(policy.name, policy.digest, policy.retries, freeze)
    ledger.add_all([
        (each.digest, each.submission.name, each.submission.visibility, policy.seeds)
        for each in found
    ])  # fmt: skip


def _entry(folder: Path, policy: Policy) -> Entry:
    submission = submission_file.read(folder)
    try:
        digest = source.look(folder).digest
    except NotDigestible as problem:
        raise BadSubmission(
            f"{folder} can't have a digest: {problem}; allowed: the files as they were handed in"
        ) from problem
    name = policy.published_name(submission.name, digest, submission.visibility)
    # From here on nothing knows another name: folders, records and rows are called as published.
    submission = replace(submission, name=name)
    ours = {each.name for each in policy.metrics}
    further = (each for each in submission.metrics if each.name not in ours)
    entry = Entry(submission, digest, policy.limits, (*policy.metrics, *further))
    try:
        entry.limits = smaller(policy.limits, submission.limits)
        entry.refused = _other_data(submission, policy.data)
    except (BadSetting, BadDataLock) as problem:
        entry.refused = str(problem)
    return entry


def _other_data(submission: Submission, data: Mapping[str, str]) -> str:
    """Return why the data that a submission declares is not the round's; empty where it is."""
    if submission.data is None:
        return ""
    for each in data_lock.declared(submission.data):
        if each.name in data and each.digest != data[each.name]:
            return (
                f"its data set {each.name} is {each.digest}; the round's policy has "
                f"{data[each.name]}"
            )
    return ""
