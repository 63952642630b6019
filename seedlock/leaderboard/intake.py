"""What stands in an upload, looked at without running or importing anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.errors import SeedlockError
from seedlock.evaluation import full_disk
from seedlock.evaluation.rounds import handed_in
from seedlock.evaluation.submission import submission_file
from seedlock.leaderboard import archive

if TYPE_CHECKING:
    from seedlock.evaluation.rounds.policy import Policy
    from seedlock.leaderboard.store import Store, Upload


class Refused(Exception):
    """What was handed in is not taken.

    Attributes:
        status: of HTTP.
        what, allowed, cure: as a message of the house has them.
        errors: several reasons, one a line.
    """

    def __init__(
        self, status: int, what: str, allowed: str, cure: str, errors: tuple[str, ...] = ()
    ) -> None:
        super().__init__(what)
        self.status, self.what, self.allowed, self.cure = status, what, allowed, cure
        self.errors = errors


@dataclass(frozen=True)
class Looked:
    """What stands in an archive: name and visibility of the submission, and its digest."""

    name: str
    visibility: str
    digest: str


def looked_at(store: Store, upload: Upload, policy: Policy, claimed: str | None) -> Looked:
    """Return what an upload holds, unpacked for a moment.

    Args:
        store: the server's.
        upload: whole.
        policy: the round's.
        claimed: digest that the author's machine came to, or None.

    Raises:
        Refused: it is no submission, not the claimed one, or does not fit the policy.
        OSError: it can't be unpacked here, as on a full disk.
    """
    upload.file.flush()
    try:
        said = archive.look(upload.file)
        if claimed is not None and claimed != said.digest:
            raise Refused(
                422, f"the archive's digest is {said.digest}, and {claimed} was said with it",
                "the digest that seedlock check prints for these files", "hand it in again",
            )  # fmt: skip
        with store.workplace() as folder:
            full_disk.require_room(folder, said.size)
            archive.unpack(upload.file, folder)
            submission = submission_file.read(folder)
            wrong = handed_in.unfit(policy, submission)
    except SeedlockError as problem:
        what, _, allowed = str(problem.args[0]).partition("; allowed: ")
        raise Refused(
            422, what, allowed or "a folder with submission.toml, sent by seedlock submit",
            "mend it, and hand it in again",
        ) from problem  # fmt: skip
    if wrong:
        raise Refused(
            422, f"{submission.name} does not fit the round's policy", "what the policy says",
            "mend submission.toml, and hand it in again", tuple(wrong),
        )  # fmt: skip
    return Looked(submission.name, submission.visibility, said.digest)
