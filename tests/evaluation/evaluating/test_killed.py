"""`seedlock evaluate` killed at moments of a fixed choice, and said again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from seedlock.evaluation import process_groups
from tests.evaluation.evaluating.made_round import ANOTHER, GOOD, UNSEALED, MadeRound, make

LONGEST = 1.0
"""Seconds after its first start after which it is killed at the latest; a run takes about half."""


def killed(made: MadeRound, choose: random.Random) -> None:
    """Begin to evaluate, and kill one process of those that do so at some moment of its first
    runs; half of the time the evaluation itself, else its nursery, a worker or a program."""
    evaluating = made.begin(*UNSEALED)
    assert evaluating.stderr is not None
    for line in evaluating.stderr:
        if line.endswith(" started\n"):
            break
    time.sleep(choose.uniform(0.0, LONGEST))
    there = process_groups.Family(evaluating.pid).living() or [evaluating.pid]
    victim = evaluating.pid if choose.random() < 0.5 else choose.choice(there)
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        pass
    evaluating.communicate(timeout=600)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.full)])
def test_whatever_is_killed_each_seed_has_one_end(tmp_path: Path, seed: int) -> None:
    """No result is lost, no run counts twice, no process is left, whatever the moment."""
    choose = random.Random(seed)
    made = make(tmp_path, {"good": GOOD, "another": ANOTHER}, seeds=6, retries=100)

    for _ in range(6):
        killed(made, choose)
    done = made.evaluate(*UNSEALED)

    assert "12 of 12 runs ended" in done.err
    for name, ends in made.ends().items():
        final = [index for index, _, state in ends if state in ("done", "author-failure", "limit")]
        assert sorted(final) == list(range(6)), name
        started = Counter((index, attempt) for index, attempt, state in ends if state != "queued")
        assert set(started.values()) == {1}
    # What was killed is taken up at once, and not when its lease is over.
    assert not any("lease expired" in each["content"]["reasons"] for each in made.events("ended"))
    end = time.monotonic() + 60
    while made.left():  # a program whose worker was killed is ended by the nursery, by and by
        assert time.monotonic() < end
        time.sleep(0.1)
    made.verify()
