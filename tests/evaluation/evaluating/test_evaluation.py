"""The loop between ledger and engine, with an engine that does what a test says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seedlock.evaluation.engines.base import Ended, Engine, Unit
from seedlock.evaluation.evaluating import evaluation as loop
from seedlock.evaluation.evaluating.entries import entries
from seedlock.evaluation.evaluating.evaluation import Evaluation, Work
from seedlock.evaluation.evaluating.slots import slots
from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.watching import Interruption
from tests.evaluation.evaluating.made_round import MadeRound, make


class Told(Engine):
    """An engine whose units end as `end` says, without a record."""

    name = "told"

    def __init__(self, slots: int, end: Callable[[Unit], int | None]) -> None:
        self.slots = slots
        self.started: list[Unit] = []
        self.stopped: list[str] = []
        self.refuses = False
        self.note = ""
        self._end = end
        self._open: list[Unit] = []

    def start(self, unit: Unit) -> str:
        """Take a unit."""
        if self.refuses:
            raise OSError("the scheduler is gone")
        self.started.append(unit)
        self._open.append(unit)
        return f"told {len(self.started)}"

    def poll(self, seconds: float = 0.0) -> list[Ended]:
        """End what was told, and what was stopped."""
        ended = []
        for unit in self._open:
            status = 130 if unit.title in self.stopped else self._end(unit)
            if status is not None:
                ended.append(Ended(unit, status, self.note, bool(self.note)))
        self._open = [unit for unit in self._open if all(unit != each.unit for each in ended)]
        return ended

    def stop(self, unit: Unit, at_once: bool) -> None:
        """End a unit at the next look."""
        self.stopped.append(unit.title)

    def close(self) -> None:
        """Nothing is left."""


def evaluated(
    made: MadeRound, ledger: Ledger, engine: Told, gpus: tuple[str, ...] = (), seeds: int = 2
) -> str:
    """Evaluate a round on an engine; return why that starts no more runs."""
    this = Round(made.folder)
    found = entries(this.freeze()["submissions"], list(made.submissions.values()), this.policy)
    ledger.enter(this.policy.name, this.policy.digest, this.policy.retries)
    ledger.add_all([(each.digest, each.submission.name, "private", seeds) for each in found])
    by_digest = {each.digest: each for each in found}
    work = Work(made.folder, this.policy, by_digest, this.seeds(), frozenset(), False, "here")
    places = slots(engine.slots, gpus, 1.0, [0, 1])
    running = Evaluation(work, ledger, engine, places, lambda _: None, lambda _: None)
    with Interruption() as interruption:
        running.run(interruption)
    return running.broken


def test_a_lease_that_was_lost_is_not_reported_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sleep longer than a lease, the unit is ended, and what it came to is another
    attempt's by now."""
    monkeypatch.setattr(loop, "BEAT", 0.0)
    clock = [1000.0]
    made = make(tmp_path, {"mine": "pass"}, retries=1)

    def end(unit: Unit) -> int | None:
        if unit.attempt == 1 and unit.seed_index == 0:
            clock[0] += 2 * loop.LEASE
            ledger.expire()
            return None
        return 75

    with Ledger.open(made.folder, clock=lambda: clock[0]) as ledger:
        engine = Told(1, end)
        evaluated(made, ledger, engine)
        ledger.verify()

    assert engine.stopped == ["mine/0-1"]
    (first, second, *_) = [
        each["content"]["reasons"] for each in made.events("ended") if each["seed_index"] == 0
    ]
    assert (first, second) == (["lease expired"], ["it ended without a record"])
    assert [each[:2] for each in made.ends()["mine"]] == [(0, 1), (0, 2), (1, 1), (1, 2)]


class Slow(Told):
    """An engine that says when it starts a unit."""

    def __init__(self, began: Callable[[Unit], None]) -> None:
        super().__init__(1, lambda _: 75)
        self._began = began

    def start(self, unit: Unit) -> str:
        """Take a unit, as long as that takes."""
        self._began(unit)
        return super().start(unit)


def test_a_lease_that_is_lost_while_its_run_is_started(tmp_path: Path) -> None:
    """As where an engine hangs: the run is ended, and the evaluation goes on."""
    clock = [1000.0]
    made = make(tmp_path, {"mine": "pass"}, seeds=1, retries=1)

    def began(unit: Unit) -> None:
        if unit.attempt == 1:
            clock[0] += 2 * loop.LEASE
            ledger.expire()

    with Ledger.open(made.folder, clock=lambda: clock[0]) as ledger:
        engine = Slow(began)
        evaluated(made, ledger, engine, seeds=1)

    assert engine.stopped == ["mine/0-1"]
    reasons = [each["content"]["reasons"] for each in made.events("ended")]
    assert reasons == [["lease expired"], ["it ended without a record"]]


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_what_a_supervisor_printed_last_is_published_of_public_submissions_only(
    tmp_path: Path, visibility: str
) -> None:
    """It may name the author's files, whatever it ended with."""
    made = make(tmp_path, {"mine": "pass"}, seeds=1, retries=0, visibility=visibility)
    with Ledger.open(made.folder) as ledger:
        engine = Told(1, lambda _: 1)
        engine.note = "ValueError: /submission/our_new_idea.py"
        evaluated(made, ledger, engine, seeds=1)

    (event,) = made.events("ended")
    shown = "it ended without a record" if visibility == "private" else engine.note
    assert event["content"]["reasons"] == [shown]


def test_an_engine_that_starts_nothing_uses_up_no_attempts(tmp_path: Path) -> None:
    """What is leased goes back as it was, and the evaluation ends."""
    made = make(tmp_path, {"mine": "pass"})
    with Ledger.open(made.folder) as ledger:
        engine = Told(2, lambda _: 75)
        engine.refuses = True
        why = evaluated(made, ledger, engine)
        counts = ledger.status().counts

    assert why == "the scheduler is gone"
    assert counts["queued"] == 2
    assert {state for _, _, state in made.ends()["mine"]} == {"queued"}


def test_a_limit_that_took_the_supervisor_too_is_a_result(tmp_path: Path) -> None:
    """As when a scheduler kills a job whole that takes too much memory: no second try."""
    made = make(tmp_path, {"mine": "pass"}, retries=1)
    with Ledger.open(made.folder) as ledger:
        evaluated(made, ledger, Told(1, lambda unit: 124 if unit.seed_index == 0 else 75))

    assert made.ends()["mine"] == [
        (0, 1, "limit"), (1, 1, "infrastructure"), (1, 2, "infrastructure"),
    ]  # fmt: skip


def test_each_slot_has_its_gpu_and_its_processors(tmp_path: Path) -> None:
    """As declared: no two units under way share one, and the environment says which."""
    made = make(tmp_path, {"mine": "pass", "yours": "pass"}, retries=0)
    with Ledger.open(made.folder) as ledger:
        engine = Told(2, lambda _: 75)
        evaluated(made, ledger, engine, ("0", "GPU-5a"))

    seen = [each.variables["CUDA_VISIBLE_DEVICES"] for each in engine.started]
    assert sorted(seen[:2]) == sorted(seen[2:]) == ["0", "GPU-5a"]
    assert [each.cpus for each in engine.started[:2]] == [(0,), (1,)]
    assert all(each.variables["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID" for each in engine.started)
    # Of each submission the first seed, before any has its second.
    order = [(each.name, each.seed_index) for each in engine.started]
    assert {name for name, _ in order[:2]} == {"mine", "yours"}


def test_each_seed_goes_to_its_run(tmp_path: Path) -> None:
    """By its index, and to that run alone."""
    made = make(tmp_path, {"mine": "pass"}, retries=0)
    with Ledger.open(made.folder) as ledger:
        engine = Told(1, lambda _: 75)
        evaluated(made, ledger, engine)

    assert [each.seed for each in engine.started] == made.seeds()
