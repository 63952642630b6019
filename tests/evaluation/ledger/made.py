"""What tests put into ledgers."""

from __future__ import annotations

from seedlock.evaluation.ledger.ledger import Ledger

POLICY = "sha256:" + "a" * 64
RECORD = "f" * 64


class Clock:
    """Seconds since 1970 that stand still until somebody moves them."""

    def __init__(self) -> None:
        self.seconds = 1_796_126_400.0

    def __call__(self) -> float:
        return self.seconds

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


def digest(name: str) -> str:
    """Return a digest for a submission."""
    return "sha256:" + name.encode().hex().rjust(64, "0")


def fill(ledger: Ledger, *names: str, seeds: int = 2, retries: int = 1) -> None:
    """Enter a round and add submissions."""
    ledger.enter("sample", POLICY, retries)
    for name in names:
        ledger.add(digest(name), name, "public", seeds)


def play(ledger: Ledger, clock: Clock) -> None:
    """Let a round go through all that can happen, and leave one run leased and one running."""
    fill(ledger, "one", "two", "three", seeds=3)
    outcomes = ("done", "author-failure", "limit", "infrastructure", "interrupted", "not-locked")
    for number, outcome in enumerate(outcomes):
        (lease,) = ledger.lease(f"worker {number % 2}", 60)
        ledger.begin(lease, f"process {number}")
        clock.move(2.5)
        ledger.finish(
            lease, outcome, f"runs/{number}.json", RECORD, ["a reason"], {"wall_seconds": 2.5}
        )
    (back,) = ledger.lease("worker 0", 60)
    ledger.give_back(back, "Ctrl-C")
    ledger.lease("worker gone", 60)
    clock.move(61)
    ledger.expire()
    running, _ = ledger.lease("worker 1", 60, limit=2)
    ledger.begin(running, "process 9")
