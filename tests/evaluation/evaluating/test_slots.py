"""Which part of a machine each run gets; declared, for no machine with GPUs was at hand."""

from __future__ import annotations

import pytest

from seedlock.evaluation.evaluating.slots import Slot, default_jobs, slots


@pytest.mark.parametrize(
    ("processors", "cpus", "jobs"),
    [(1.0, 2, 2), (2.0, 2, 1), (4.0, 2, 1), (1.5, 8, 4), (0.5, 3, 3)],
)
def test_as_many_as_have_processors_of_their_own(processors: float, cpus: int, jobs: int) -> None:
    """At least one; a part of a processor takes a whole one."""
    assert default_jobs(processors, range(cpus)) == jobs


def test_each_has_processors_of_its_own() -> None:
    """No two runs share one while there are enough, whatever the processors' numbers."""
    found = slots(3, (), 2.0, [1, 2, 3, 5, 8, 13])

    assert [each.cpus for each in found] == [(1, 2), (3, 5), (8, 13)]


def test_how_many_do_not_depend_on_the_jobs() -> None:
    """A library takes as many threads as it sees processors, and its bits go by that."""
    found = slots(4, (), 2.0, [0, 1, 2])

    assert [each.cpus for each in found] == [(0, 1), (0, 2), (1, 2), (0, 1)]


def test_one_run_per_gpu() -> None:
    """More jobs than GPUs get no slot, and no GPU has two."""
    found = slots(8, ("0", "GPU-5a"), 1.0, [0, 1])

    assert found == [Slot(0, (0,), "0"), Slot(1, (1,), "GPU-5a")]


def test_a_smaller_limit_takes_fewer() -> None:
    """Rounded up."""
    slot = Slot(0, (4, 5, 6, 7))

    assert slot.cpus_for(2.5) == (4, 5, 6)
    assert slot.cpus_for(16) == (4, 5, 6, 7)
