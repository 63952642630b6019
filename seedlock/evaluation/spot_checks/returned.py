"""What authors returned: a record as it was read, and how a submission stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.evaluation.recording.record import JUDGED

if TYPE_CHECKING:
    from pathlib import Path

PASSED = "passed"
MARKED = "marked"
REFUSED = "refused"
UNCHECKED = "unchecked"
NOT_CHOSEN = "not chosen"
"""How a submission may stand: each chosen record replayed; one did not; its records are not the
round's; one could not be compared; none of its records was chosen."""


@dataclass
class Returned:
    """A record that an author returned.

    Attributes:
        file: where it lies.
        shown: its name, printable.
        sha256: of its bytes; None where it can't be read.
        content: what it says; None where it is no record.
        submission: digest of its source; None where it says none.
        seed_index: place of its seed in the round, or None.
        faults: why it is not one of this round's, one line each.
        chosen: whether it is to be replayed.
        verdict: of its replay, or None.
        reasons: what the replay found, one line each.
    """

    file: Path
    shown: str
    sha256: str | None = None
    content: dict[str, Any] | None = None
    submission: str | None = None
    seed_index: int | None = None
    faults: list[str] = field(default_factory=list)
    chosen: bool = False
    verdict: str | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def ended(self) -> str | None:
        """The class of its end, as the author says."""
        if self.content is None or "outcome" not in self.content:
            return None
        return str(self.content["outcome"]["class"])

    @property
    def replayable(self) -> bool:
        """Whether its run came to an end that a replay must come to as well."""
        return not self.faults and self.ended in JUDGED

    def as_dict(self) -> dict[str, Any]:
        """Return it without its path, JSON-ready."""
        return {
            "record": self.shown,
            "sha256": self.sha256,
            "seed_index": self.seed_index,
            "class": self.ended,
            "faults": self.faults,
            "chosen": self.chosen,
            "verdict": self.verdict,
            "reasons": self.reasons,
        }


@dataclass
class Standing:
    """How a submission stands.

    Attributes:
        name, digest: as frozen; None for a record that is no submission's.
        returned: its records.
        faults: why they are not the round's, one line each.
        standing: one of the words above.
    """

    name: str | None
    digest: str | None
    returned: list[Returned] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    standing: str = NOT_CHOSEN

    def as_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready."""
        return {
            "name": self.name,
            "digest": self.digest,
            "standing": self.standing,
            "faults": self.faults,
            "records": [each.as_dict() for each in self.returned],
        }
