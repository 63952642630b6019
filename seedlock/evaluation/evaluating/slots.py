"""Which part of this machine each run gets."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Slot:
    """A place for one run at a time.

    Attributes:
        number: from 0.
        cpus: numbers of the processors that a run of it gets at most; empty for any.
        gpu: name of its GPU, or None.
    """

    number: int
    cpus: tuple[int, ...] = ()
    gpu: str | None = None

    def cpus_for(self, processors: float) -> tuple[int, ...]:
        """Return as many of the processors as a limit allows, rounded up."""
        return self.cpus[: math.ceil(processors)]


def default_jobs(processors: float, cpus: Sequence[int]) -> int:
    """Return how many runs this machine can carry out at a time, each on processors of its own."""
    return max(1, len(cpus) // math.ceil(processors))


def slots(jobs: int, gpus: Sequence[str], processors: float, cpus: Sequence[int]) -> list[Slot]:
    """Return the slots of this machine.

    Each run gets as many processors as the limits say, however many run at a time: how many
    threads a library takes, and so the bits of a sum, goes by that. Slots share processors only
    where there are not enough.

    Args:
        jobs: how many slots; with GPUs no more than these.
        gpus: their names; empty for runs without one.
        processors: most that a run of the round may have.
        cpus: numbers of the processors that there are.
    """
    each = min(math.ceil(processors), len(cpus))
    found = []
    for number in range(min(jobs, len(gpus)) if gpus else jobs):
        own = tuple(sorted(cpus[(number * each + at) % len(cpus)] for at in range(each)))
        found.append(Slot(number, own, gpus[number] if gpus else None))
    return found


def own_cpus() -> list[int]:
    """Return the numbers of the processors that this process may run on."""
    return sorted(os.sched_getaffinity(0))
