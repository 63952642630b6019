"""What somebody sees who waits for a round."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from seedlock.evaluation.engines.base import Unit
from seedlock.evaluation.evaluating import progress
from seedlock.evaluation.evaluating.evaluation import Underway
from seedlock.evaluation.evaluating.progress import Progress, summary
from seedlock.evaluation.evaluating.slots import Slot
from seedlock.evaluation.ledger.leases import Lease
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.sealing.limits import Limits

DIGEST = f"sha256:{'1' * 64}"
SEED = 12345678901234567890


def underway(lease: Lease) -> Underway:
    """Return a unit as one that was just started."""
    unit = Unit(
        "sample", DIGEST, DIGEST, lease.name, "/x", lease.seed_index, 1, SEED, "strict",
        Limits().as_dict(), "/x/0-1", "/x/0-1.json",
    )  # fmt: skip
    return Underway(unit, lease, Slot(0), 0.0)


def test_a_round_in_one_line(tmp_path: Path) -> None:
    """How many have ended, how, and how long the others will take."""
    clock = [1000.0]
    with Ledger.open(tmp_path, clock=lambda: clock[0]) as ledger:
        ledger.enter("sample", DIGEST, 2)
        ledger.add(DIGEST, "mine", "public", 5)
        (first, second) = ledger.lease("here", 60, limit=2)
        for lease in (first, second):
            ledger.begin(lease, "process 1")
        clock[0] += 100.0
        ledger.finish(first, "done")
        line = summary(ledger.status())

    assert line.startswith("1 of 5 runs ended: queued 3, running 1, done 1; about 6 min left, ")


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_shown(tmp_path: Path, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each run under way, elsewhere lines; a name is no markup, and no seed."""
    monkeypatch.setattr(progress, "ON_TERMINAL", 0.0)
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    with Ledger.open(tmp_path) as ledger:
        ledger.enter("sample", DIGEST, 2)
        ledger.add(DIGEST, "mine", "public", 2)
        (lease,) = ledger.lease("here", 60)
        with Progress(console, ledger.status) as shown:
            shown.tell("[red]mine: started")
            shown.show([underway(lease)])

    said = written.getvalue()
    assert "[red]mine: started" in said
    assert ("mine/0-1 for" in said) == terminal
    assert ("0 of 2 runs ended" in said) == terminal
    assert str(SEED) not in said
