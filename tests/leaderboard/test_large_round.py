"""The round that tests and benchmarks of the leaderboard look at is a real one."""

from __future__ import annotations

from pathlib import Path

from seedlock.evaluation.rounds import verification
from seedlock.evaluation.rounds.claims import verdict
from seedlock.evaluation.rounds.formats import FREEZE, OPENING
from seedlock.evaluation.rounds.verification import Seen
from tests.leaderboard.large_round import DEADLINE, REVEALED, Shape, make


def test_it_verifies(tmp_path: Path) -> None:
    """All but what no file can show: that a beacon took part, and when somebody noted what."""
    this = make(tmp_path / "round", Shape(20, 4))
    seen = Seen({step: this.digest(step) for step in (OPENING, FREEZE)})

    found = verification.verify(tmp_path / "round", DEADLINE + REVEALED, seen)
    assert verdict(found)[0] == "CONDITIONAL", found
    assert {each.about for each in found if each.state == "if"} == {"beacon", "ledger"}


def test_it_can_be_under_way(tmp_path: Path) -> None:
    """Neither revealed nor trained to its end."""
    make(tmp_path / "round", Shape(3, 4, waiting=5, revealed=False))

    found = verification.verify(tmp_path / "round", DEADLINE + REVEALED, Seen({}))
    assert verdict(found)[0] == "INCOMPLETE", found
