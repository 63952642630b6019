"""A round as its folder has it: what was published, and, to its organiser, the seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound, printable
from seedlock.evaluation.rounds import formats, secret_file
from seedlock.evaluation.rounds.formats import DRAW, FREEZE, OPENING, REVEAL
from seedlock.evaluation.rounds.hidden_seeds import NO_BEACON, Secret, derive
from seedlock.evaluation.rounds.policy import Policy, from_dict

if TYPE_CHECKING:
    from pathlib import Path


class Round:
    """A round in a folder.

    Args:
        folder: the round's; what it lacks is found when it is asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def policy(self) -> Policy:
        """What was fixed at the opening.

        Raises:
            BadRound: the round was not opened, or its file is no opening.
        """
        return from_dict(self.opening()["policy"])

    def has(self, step: str) -> bool:
        """Return whether a step was taken: one of `formats.STEPS`."""
        return formats.file_of(self.folder, step).exists()

    @property
    def passphrase_needed(self) -> bool:
        """Whether `seeds` needs the organiser's passphrase.

        Raises:
            BadRound: the seeds are hidden and the secret is not here.
        """
        return not self._seeds_are_open() and secret_file.is_sealed(self.folder)

    def opening(self) -> dict[str, Any]:
        """Return the opening.

        Raises:
            BadRound: it is not there, or not of its format.
        """
        return formats.read(self.folder, OPENING)[0]

    def freeze(self) -> dict[str, Any]:
        """Return the freeze: `submissions` holds name, digest and visibility of each.

        Raises:
            BadRound: it is not there, not of its format, or not of this opening.
        """
        return self._linked(FREEZE, OPENING)

    def draw(self) -> dict[str, Any]:
        """Return the draw.

        Raises:
            BadRound: it is not there, not of its format, or not of this freeze.
        """
        return self._linked(DRAW, FREEZE)

    def reveal(self) -> dict[str, Any]:
        """Return the reveal.

        Raises:
            BadRound: it is not there, not of its format, or not of this draw.
        """
        return self._linked(REVEAL, DRAW)

    def seeds(self, passphrase: str | None = None) -> list[int]:
        """Return the seeds in the order of their indices, 0 first.

        Args:
            passphrase: the organiser's, where the secret is under one and not revealed yet.

        Raises:
            BadRound: nothing was drawn, or what is here does not fit what was published.
            BadPassphrase: it is missing or another one.
        """
        drawn = self.draw()
        if drawn["seeds"] is not None:
            return [int(each) for each in drawn["seeds"]]
        if self.has(REVEAL):
            secret = Secret(bytes.fromhex(self.reveal()["secret"]))
            self.check(secret)
        else:
            secret = self.secret(passphrase)
        seeds = self.derived(secret, drawn["beacon"])
        if secret.seeds_commitment(seeds) != drawn["seeds_commitment"]:
            raise self._unlike("the seeds", "draw.json commits to")
        return seeds

    def secret(self, passphrase: str | None) -> Secret:
        """Return the secret, which is the one that the opening commits to.

        Raises:
            BadRound: it is not here, or another one.
            BadPassphrase: the passphrase is missing or another one.
        """
        secret = secret_file.load(self.folder, passphrase)
        self.check(secret)
        return secret

    def check(self, secret: Secret) -> None:
        """Make sure that the opening commits to a secret.

        Raises:
            BadRound: it commits to another, or under another policy.
        """
        if secret.commitment(self.policy.canonical) != self.opening()["commitment"]:
            raise self._unlike("the secret", "opening.json commits to")

    def derived(self, secret: Secret, beacon: dict[str, Any] | None) -> list[int]:
        """Return the seeds that follow from a secret, a beacon as files have it, and the freeze."""
        randomness = None if beacon is None else bytes.fromhex(beacon["randomness"])
        return derive(secret, randomness, bytes.fromhex(self.freeze()["root"]), self.policy.seeds)

    def salt(self) -> bytes:
        """Return the beacon's randomness and the Merkle root, which lots are drawn with.

        Raises:
            BadRound: nothing was drawn, or what is here does not belong together.
        """
        beacon = self.draw()["beacon"]
        randomness = NO_BEACON if beacon is None else bytes.fromhex(beacon["randomness"])
        return randomness + bytes.fromhex(self.freeze()["root"])

    def digest(self, step: str) -> str:
        """Return the digest of a step's file, which authors note.

        Raises:
            BadRound: it is not there, or not of its format.
        """
        return formats.read(self.folder, step)[1]

    def _seeds_are_open(self) -> bool:
        return self.has(REVEAL) or (self.has(DRAW) and self.draw()["seeds"] is not None)

    def _linked(self, step: str, before: str) -> dict[str, Any]:
        content = formats.read(self.folder, step)[0]
        if content[before] != self.digest(before):
            raise self._unlike(f"{step}.json", f"belongs to {before}.json")
        return content

    def _unlike(self, what: str, of: str) -> BadRound:
        return BadRound(
            f"{what} in {printable(str(self.folder), 200)} is not what {of}; allowed: the files "
            "as seedlock round wrote them; seedlock round verify says what was changed"
        )
