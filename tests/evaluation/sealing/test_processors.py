"""processors.py: claims of several runs, in this process and in others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from seedlock.evaluation.sealing.processors import Claim

NUMBERS = [9000 + 10 * (os.getpid() % 100_000) + each for each in range(4)]
"""Of no machine, and of this process alone: other tests claim real ones meanwhile."""


@pytest.mark.parametrize(("wanted", "count"), [(0.01, 1), (1, 1), (1.5, 2), (4, 4), (64, 4)])
def test_as_many_as_are_wanted_and_there(wanted: float, count: int) -> None:
    """A part of one is one; the first ones that are free."""
    claim = Claim(wanted, NUMBERS)

    assert claim.numbers == NUMBERS[:count]
    assert claim.text == ",".join(map(str, NUMBERS[:count]))
    claim.release()


def test_runs_side_by_side_have_their_own() -> None:
    """While there are enough; then those with the fewest claims are shared; released ones are
    free again."""
    first, second = Claim(2, NUMBERS), Claim(1, NUMBERS)
    third = Claim(2, NUMBERS)
    taken = [each.numbers for each in (first, second, third)]
    first.release()
    again = Claim(2, NUMBERS)

    assert taken == [NUMBERS[:2], [NUMBERS[2]], [NUMBERS[0], NUMBERS[3]]]
    assert again.numbers == NUMBERS[:2]
    for each in (second, third, again, first):
        each.release()


def test_another_process_sees_the_claim_until_that_process_ends() -> None:
    """However it ends: the kernel takes the name back."""
    program = (
        "import sys; from seedlock.evaluation.sealing.processors import Claim\n"
        f"held = Claim(3, {NUMBERS}); print(held.text, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        theirs = process.stdout.readline().strip()
        own = Claim(1, NUMBERS)
        process.kill()
    later = Claim(3, NUMBERS)

    assert theirs == ",".join(map(str, NUMBERS[:3]))
    assert own.numbers == NUMBERS[3:]
    assert later.numbers == NUMBERS[:3]
    for each in (own, later):
        each.release()
