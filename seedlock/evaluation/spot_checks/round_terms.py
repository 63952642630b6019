"""From a round's folder to its terms, for who signs and for who checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedlock.errors import BadRound, NotFrozen, printable
from seedlock.evaluation.data import data_lock
from seedlock.evaluation.evaluating import entries as handed_in
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.formats import DRAW, REVEAL
from seedlock.evaluation.rounds.hidden_seeds import Secret
from seedlock.evaluation.spot_checks.terms import Entry, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def published(folder: Path) -> Round:
    """Return a round whose authors train, with its seeds drawn.

    Raises:
        BadRound: nothing was drawn, a file is not of the round, or its organisers train.
    """
    found = Round(folder)
    if found.draw()["seeds"] is None:
        raise BadRound(
            f"{printable(str(folder), 200)} is a round that its organisers train, so nobody else "
            'has its seeds; allowed: one whose policy says train = "authors"'
        )
    return found


def secret_of(this: Round, passphrase: str | None) -> Secret:
    """Return a round's secret: of the reveal if there was one, else the organiser's.

    Raises:
        BadRound, BadPassphrase: it is not there, or not the one that was committed to.
    """
    if this.has(REVEAL):
        found = Secret(bytes.fromhex(this.reveal()["secret"]))
        this.check(found)
    else:
        found = this.secret(passphrase)
    if this.derived(found, this.draw()["beacon"]) != this.seeds():
        raise BadRound(
            f"the seeds in {printable(str(this.folder), 200)} do not follow from the secret; "
            "allowed: the round's own; seedlock round verify says what was changed"
        )
    return found


def terms(this: Round, folders: Sequence[Path], passphrase: str | None) -> Terms:
    """Return a round's terms, with all of its submissions.

    Args:
        this: the round, with its seeds drawn.
        folders: the submissions', absolute.
        passphrase: of the secret, or None.

    Raises:
        BadRound, BadPassphrase: as `secret_of`.
        BadDataLock: a submission's can't be read.
        BadSubmission, NotFrozen: a folder holds none of those that were frozen, or one lacks.
        OSError: a file can't be read.
    """
    policy, frozen = this.policy, this.freeze()["submissions"]
    found = handed_in.entries(frozen, folders, policy)
    lacking = {each["name"] for each in frozen} - {each.submission.name for each in found}
    if lacking:
        raise NotFrozen(
            f"'{min(lacking)}' was frozen and is in none of the folders; allowed: all "
            f"{len(frozen)} submissions; name each with --submission"
        )
    lock = (policy.image or {}).get("lock")
    return Terms(
        this.digest(DRAW), policy.digest, policy.level, tuple(this.seeds()),
        {each.digest: _entry(each) for each in found},
        policy.data, None if lock is None else lock.removeprefix("sha256:"),
        secret_of(this, passphrase).exposed(), this.salt(),
    )  # fmt: skip


def _entry(of: handed_in.Entry) -> Entry:
    submission = of.submission
    folder, lock = submission.folder, submission.data
    declared = () if lock is None else data_lock.declared(lock)
    return Entry(
        submission.name, of.digest, folder, frozenset(source.look(folder).files),
        submission.command, of.metrics, submission.signing_key, of.limits,
        {each.name: each.digest for each in declared},
        None if lock is None else lock.relative_to(folder),
    )  # fmt: skip
