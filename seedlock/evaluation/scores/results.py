"""What became of the submissions of a round, before anything is computed from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedlock.evaluation.scores.failures import DONE, FAILED, INFRASTRUCTURE, WAITING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATES = (DONE, *FAILED, INFRASTRUCTURE, WAITING)

PUBLIC = "public"

SELF_REPORTED = "self-reported"
RUN_BY_ORGANISERS = "run-by-organisers"
WITHIN = "replayed-within-tolerance"
IDENTICAL = "replayed-identical"
MARKED = "marked"
VERIFICATIONS = (SELF_REPORTED, RUN_BY_ORGANISERS, WITHIN, IDENTICAL, MARKED)
"""How far a submission's values were checked: by nobody but its author; trained by the organisers;
records of it were replayed, and came out within the tolerance, or the same; one did not."""


@dataclass(frozen=True)
class Run:
    """The last attempt under a seed.

    Attributes:
        seed_index: place of the seed in the round.
        attempt: its number, from 1; 0 where none has begun.
        state: one of `STATES`; `infrastructure` only when no retry is left.
        outcome: class of the record's end, or None.
        reasons: of the end.
        record: path below the round's folder, or None.
        record_sha256: 64 hexadecimal digits, or None.
        seconds: it took, or None.
        metrics: final values, finite.
        hardware: the machine, or None.
        problem: why there are no values though the run ended well, or None.
    """

    seed_index: int
    attempt: int = 0
    state: str = WAITING
    outcome: str | None = None
    reasons: Sequence[str] = ()
    record: str | None = None
    record_sha256: str | None = None
    seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    hardware: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Submission:
    """A frozen submission and its runs.

    Attributes:
        name, digest, visibility: as frozen.
        runs: one per seed index, in their order.
        attempts: how many attempts were made in all.
        verification: one of `VERIFICATIONS`.
    """

    name: str
    digest: str
    visibility: str
    runs: Sequence[Run]
    attempts: int
    verification: str

    def values(self, metric: str) -> list[float | None]:
        """Return a metric's value per seed index, None without one."""
        return [each.metrics.get(metric) if each.state == DONE else None for each in self.runs]

    @property
    def states(self) -> list[str]:
        """The runs' states."""
        return [each.state for each in self.runs]

    @property
    def hardware(self) -> str | None:
        """The machine of its runs; `mixed: ` and all of them where they differ."""
        found = sorted({each.hardware for each in self.runs if each.hardware is not None})
        return found[0] if len(found) == 1 else f"mixed: {'; '.join(found)}" if found else None
