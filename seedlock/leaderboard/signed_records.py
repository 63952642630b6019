"""Records that authors trained and signed: taken once, for this round and this submission only.

What is asked here is what makes a signature worth something: this round's draw and policy, the key
that was frozen with the submission, a seed of the round. Whether a record tells the truth is the
spot check's to find out (evaluation/spot_checks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRecord, BadSignature, SeedlockError, printable
from seedlock.evaluation.recording import record
from seedlock.evaluation.rounds.formats import DRAW, REVEAL
from seedlock.evaluation.spot_checks import signature
from seedlock.evaluation.submission import submission_file
from seedlock.leaderboard import archive
from seedlock.leaderboard.intake import Refused
from seedlock.leaderboard.publication import refuse_half_characters

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.evaluation.rounds.ceremony import Round
    from seedlock.leaderboard.store import Store

ALLOWED = "a record that seedlock run --record wrote and seedlock sign signed for this round"
CURE = "sign the record of this round's run, and send it again"


@dataclass(frozen=True)
class Signed:
    """A record that is this round's.

    Attributes:
        submission: as frozen: `name`, `digest`, `visibility`.
        seed_index: of the seed that it ran under.
        sha256: of the record, hexadecimal.
    """

    submission: dict[str, str]
    seed_index: int
    sha256: str


def looked_at(this: Round, path: Path, entries: list[dict[str, str]]) -> tuple[Signed, str]:
    """Return which run of the round a record is of, and the public key that signed it.

    Args:
        this: the round, whose authors train.
        path: the record, with its signature beside it.
        entries: the frozen submissions of who sends it.

    Raises:
        Refused: it is not one of this round's, or not of these submissions.
    """
    if not this.has(DRAW) or this.draw()["seeds"] is None:
        raise _refused(409, "this round's authors don't train, or its seeds are not drawn yet")
    if this.has(REVEAL):
        raise _refused(409, "the round was revealed: which records are replayed is known")
    raw = path.read_bytes()
    try:
        statement = signature.verified(path, raw)
        content = record.parse("the record", raw)
        refuse_half_characters(content)
    except (BadSignature, BadRecord) as problem:
        raise _refused(422, str(problem.args[0]).partition("; allowed:")[0]) from problem
    for what, signed, own in (
        ("draw", statement.draw, this.digest(DRAW)),
        ("policy", statement.policy, this.policy.digest),
    ):
        if signed != own:
            raise _refused(
                422, f"it was signed for another {what}, {signed}; this round's is {own}"
            )
    if content["status"] != record.COMPLETE:
        raise _refused(422, f"the record says {content['status']}: its run goes on, or was killed")
    digest = (content["source"] or {}).get("digest")
    entry = next((each for each in entries if each["digest"] == digest), None)
    if entry is None:
        raise _refused(422, "its source is none of your team's submissions that were frozen")
    seeds = this.seeds()
    if type(content["seed"]) is not int or content["seed"] not in seeds:
        said = printable(str(content["seed"]))
        raise _refused(422, f"its seed {said} is none of the round's")
    index = seeds.index(content["seed"])
    return Signed(entry, index, statement.record.removeprefix("sha256:")), statement.public_key


def refuse_other_key(store: Store, archive_sha256: str, public_key: str) -> None:
    """Refuse a signature by another key than the submission was handed in with.

    Raises:
        Refused: it is another one.
        OSError: the archive can't be read.
    """
    with store.place(archive_sha256).open("rb") as file, store.workplace() as folder:
        try:
            archive.unpack(file, folder)
            key = submission_file.read(folder).signing_key
        except SeedlockError as problem:
            raise _refused(409, "the submission's archive can't be read here") from problem
    if key is None:
        raise _refused(422, "its submission was handed in without a signing_key")
    if key != public_key:
        raise _refused(422, f"it was signed with {public_key}, and {key} was handed in")


def _refused(status: int, what: str) -> Refused:
    return Refused(status, what, ALLOWED, CURE)


def seen_before(why: Any = "this record was sent before") -> Refused:
    """Return the refusal of a record that was taken already, or whose place is."""
    return Refused(
        409, str(why), "each record once, and one for each seed", "nothing is to be done"
    )
