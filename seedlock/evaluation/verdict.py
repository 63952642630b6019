"""From what was compared to what is said of it, and the exit status that says the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedlock.evaluation.runs import FAILED, FINISHED, INTERRUPTED, TIMED_OUT, WAITING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedlock.evaluation.comparison import Comparison
    from seedlock.evaluation.runs import Run

REPEATABLE, NOT_REPEATABLE = "REPEATABLE", "NOT REPEATABLE"
HEARS, DEAF = "HEARS THE SEED", "SEED-DEAF"
UNKNOWN = "UNKNOWN"
"""The two verdicts' values."""

GOOD, UNREPEATABLE, SEED_DEAF = "good", "not repeatable", "seed-deaf"
INVALID, BROKEN, STOPPED = "invalid", "failed", "interrupted"
EXIT_STATUS = {
    GOOD: 0, UNREPEATABLE: 1, SEED_DEAF: 3, INVALID: 4, BROKEN: 5, STOPPED: 130,
}  # fmt: skip
"""Exit status of each outcome. 2 is a usage error and 78 a setting that is not allowed."""

NOTHING = (
    "nothing to compare: no result in the traces and no file in the output folder; write results "
    "into $REPRO_OUTPUT or {output}, name files with --declare, call seedlock.checkpoint, or say "
    "--stdout to count what is printed"
)

CUT = "a trace is cut off, and nothing else differs"

CHANCE = (
    "it does not repeat, so a difference under another seed proves nothing; mend that, verify again"
)


@dataclass(frozen=True)
class Verdict:
    """What is said of a command.

    Attributes:
        outcome: one of the keys of `EXIT_STATUS`.
        repeatable: `REPEATABLE`, `NOT REPEATABLE` or `UNKNOWN`.
        seed: `HEARS THE SEED`, `SEED-DEAF` or `UNKNOWN`.
        reasons: why it is invalid, failed, or unknown.
    """

    outcome: str
    repeatable: str = UNKNOWN
    seed: str = UNKNOWN
    reasons: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """The exit status that says it."""
        return EXIT_STATUS[self.outcome]


def without_comparison(runs: Sequence[Run], faults: Sequence[str]) -> Verdict | None:
    """Return the verdict on runs that can't be compared, None if they can.

    Args:
        runs: all runs of the command.
        faults: why a run is invalid.
    """
    if any(run.status == INTERRUPTED for run in runs):
        return Verdict(STOPPED, reasons=("interrupted before all runs had ended",))
    broken = [_failure(run) for run in runs if run.status in (FAILED, TIMED_OUT)]
    if broken:
        return Verdict(BROKEN, reasons=(*broken, *faults))
    if faults:
        return Verdict(INVALID, reasons=tuple(faults))
    if any(run.status == WAITING for run in runs):
        return Verdict(STOPPED, reasons=("interrupted before all runs were started",))
    unfinished = [f"{run.name} {run.status}" for run in runs if run.status != FINISHED]
    return Verdict(INVALID, reasons=tuple(unfinished)) if unfinished else None


def judge(replicates: Sequence[Comparison], other_seed: Comparison) -> Verdict:
    """Return the verdict on runs that can be compared.

    Args:
        replicates: the first run under seed A with each other one.
        other_seed: the first run under seed A with the one under B.
    """
    if all(each.empty for each in (*replicates, other_seed)):
        return Verdict(INVALID, reasons=(NOTHING,))
    cut = [each for each in (*replicates, other_seed) if each.cut]
    if cut:
        return Verdict(
            INVALID, reasons=tuple(f"{each.first}, {each.second}: {CUT}" for each in cut)
        )
    deaf = other_seed.same_results
    if all(each.same for each in replicates):
        return Verdict(SEED_DEAF if deaf else GOOD, REPEATABLE, DEAF if deaf else HEARS)
    if deaf:
        return Verdict(UNREPEATABLE, NOT_REPEATABLE, DEAF)
    # What differs at every run differs under another seed, too, and what was equal twice may have
    # been so by chance, as a count of few right answers is.
    return Verdict(UNREPEATABLE, NOT_REPEATABLE, UNKNOWN, (CHANCE,))


def _failure(run: Run) -> str:
    if run.status == TIMED_OUT:
        return f"{run.name} did not end within the timeout, and was ended"
    status = run.exit_status
    if status is None:
        return f"{run.name} could not be started"
    how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
    return f"{run.name} (seed {run.seed}) {how}"
