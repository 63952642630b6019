"""Runs that a reader of a check has to see, and that no test may decide by.

One run of ten that collapses is told from nothing: where no run is different, the worst of both
sets is as likely among the new ones as among the stored ones. A rule that FAILs for it would do so,
with the chance of a collapse that suits it worst, in a quarter of all checks of a model that has
not changed; for two runs it is 9.5 %, for three 3.6 % (tests/evaluation/reference/
test_standing_apart.py computes them). A bound by the normal distribution promises less and does
not keep it: of the 150 runs that are stored it calls one an outlier of 3e-8 (docs/reference.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.reference.judging import Run


def remarks(
    reference: Mapping[int, Run], measured: Mapping[int, Run], direction: str
) -> list[str]:  # fmt: skip
    """Return a line for each new run that is worse than the worst stored one by more than all
    stored ones differ, and one if more runs than before missed the target.

    Failed runs are left out: each of these is a FAIL's reason.

    Args:
        reference, measured: runs by root seed.
        direction: `max` if more of the metric is better, `min` if less is.
    """
    sign = -1.0 if direction == "min" else 1.0
    stored = [run.value for run in reference.values() if run.value is not None and not run.failed]
    found = []
    if stored:
        least, most = min(stored), max(stored)
        worst = min(sign * least, sign * most)
        found = [
            f"seed {seed} stands apart: it came to {run.value:.4g}, the stored runs to "
            f"{least:.4g} to {most:.4g}"
            for seed, run in sorted(measured.items())
            if run.value is not None and not run.failed
            and sign * run.value < worst - (most - least)
        ]  # fmt: skip
    before, after = (
        sum(not run.failed and run.epoch is None for run in runs.values())
        for runs in (reference, measured)
    )
    if after > before:
        found.append(f"{after} of {len(measured)} runs missed the target, {before} had")
    return found
