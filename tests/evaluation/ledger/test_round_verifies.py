"""What the ledger exports, `seedlock round verify` reads: two programs by one page."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.rounds import ledger_lines, steps, verification
from seedlock.evaluation.rounds.claims import verdict
from seedlock.evaluation.rounds.formats import FREEZE
from tests.evaluation.ledger.made import Clock
from tests.evaluation.rounds import made_rounds
from tests.evaluation.rounds.made_rounds import LOOKED, REVEALED

OUTCOMES = [
    "done", "interrupted", "infrastructure", "not begun", "expired", "author-failure",
    "infrastructure", "limit", "infrastructure", "infrastructure", "metrics",
]  # fmt: skip
"""How the first attempts end, in the order in which they are leased; all later ones are done."""


@pytest.mark.parametrize("shift", range(len(OUTCOMES)))
def test_a_real_ledger_is_proven(tmp_path: Path, ledger: Ledger, clock: Clock, shift: int) -> None:
    """Whatever happened to runs, and nothing else is: the states that the ledger leads to are
    those that the round's own reader expects."""
    this = made_rounds.drawn(tmp_path / "round")
    rules, seeds = this.policy, this.seeds()
    freeze = this.digest(FREEZE).removeprefix("sha256:")
    ledger.enter(rules.name, rules.digest, rules.retries, freeze)
    for each in this.freeze()["submissions"]:
        ledger.add(each["digest"], each["name"], each["visibility"], rules.seeds)
    left = [*OUTCOMES[shift:], *OUTCOMES[:shift]]
    while leases := ledger.lease("worker", 60):
        (lease,) = leases
        outcome = left.pop(0) if left else "done"
        if outcome == "not begun":
            ledger.give_back(lease, "stopped")
            continue
        ledger.begin(lease, "process 7")
        clock.move(1.5)
        if outcome == "expired":
            clock.move(100)
            assert ledger.expire()
            continue
        path = sha256 = None
        if outcome not in ("interrupted", "infrastructure"):
            path = f"runs/{lease.name}/{lease.seed_index}-{lease.attempt}.json"
            of = next(e for e in this.freeze()["submissions"] if e["name"] == lease.name)
            content = made_rounds.run_record(of, seeds[lease.seed_index], outcome)
            (this.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (this.folder / path).write_text(json.dumps(content))
            sha256 = hashlib.sha256((this.folder / path).read_bytes()).hexdigest()
        ledger.finish(lease, outcome, path, sha256, usage={"wall_s": 1.5})
    noted = ledger.head()
    ledger.export(str(this.folder / ledger_lines.NAME))
    course = ledger_lines.read(this.folder / ledger_lines.NAME)
    steps.reveal_round(this, course.head, REVEALED)
    seen = made_rounds.seen_of(this, [noted])

    found = verification.verify(this.folder, LOOKED, seen)
    assert (course.head["events"], course.head["head"]) == noted
    assert verdict(found)[0] == "PROVEN", found
    other = verification.verify(this.folder, LOOKED, replace(seen, heads=[(noted[0], "0" * 64)]))
    assert verdict(other)[0] == "WRONG"
