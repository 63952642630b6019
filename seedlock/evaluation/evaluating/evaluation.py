"""The way of an evaluation: leases -> units on an engine -> records -> rows of the ledger.

A result gets its name on the disk first, then its row. Whatever is killed in between is taken up
by the next evaluation of the same round on the same machine (`taking_up.py`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from seedlock.errors import LostLease
from seedlock.evaluation.engines.base import DISK_FULL, EXIT_STATUSES, Ended, Unit
from seedlock.evaluation.evaluating import results
from seedlock.evaluation.recording.record import AUTHOR, INFRASTRUCTURE, INTERRUPTED, LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from seedlock.evaluation.engines.base import Engine
    from seedlock.evaluation.evaluating.entries import Entry
    from seedlock.evaluation.evaluating.slots import Slot
    from seedlock.evaluation.ledger.leases import Lease
    from seedlock.evaluation.ledger.ledger import Ledger
    from seedlock.evaluation.watching import Interruption

LEASE = 120.0
"""Seconds that a lease lasts after the last sign of its worker."""

BEAT = 20.0
"""Seconds between two signs."""

LOOK = 0.2
"""Seconds between two looks at Ctrl-C and the clock. The end of a run is seen at once."""


NO_RECORD = "it ended without a record"


class Terms(Protocol):
    """What of a round's policy each run has to know."""

    @property
    def name(self) -> str:
        """The round's name."""

    @property
    def digest(self) -> str:
        """Digest of the policy."""

    @property
    def level(self) -> str:
        """REPRO_LEVEL."""


@dataclass(frozen=True)
class Work:
    """What is to be evaluated.

    Attributes:
        folder: the round's, absolute.
        policy: the round's.
        entries: submissions by their digests.
        seeds: by their index; of a round the hidden ones.
        accept: promises of the seal that the runs can do without.
        sealed: whether they are sealed.
        worker: this evaluation's name in the ledger.
    """

    folder: Path
    policy: Terms
    entries: Mapping[str, Entry]
    seeds: Sequence[int]
    accept: frozenset[str]
    sealed: bool
    worker: str


@dataclass
class Underway:
    """A unit that was started.

    Attributes:
        unit: which.
        lease: the right to carry it out.
        slot: where.
        began: `time.monotonic` at its start.
        lost: whether the lease was lost, so that its end counts no more.
    """

    unit: Unit
    lease: Lease
    slot: Slot
    began: float
    lost: bool = False


@dataclass
class Evaluation:
    """An evaluation under way.

    Attributes:
        work: what is to be done.
        ledger: what becomes of it.
        engine: who does it.
        slots: places that are free.
        tell: called with a line when something began or ended.
        show: called at each look with what is under way.
        underway: by the path of the artifacts.
        disk_full: what a full disk was said to be; empty while there is room.
        broken: why the engine starts no more runs; empty while it does.
    """

    work: Work
    ledger: Ledger
    engine: Engine
    slots: list[Slot]
    tell: Callable[[str], None]
    show: Callable[[Sequence[Underway]], None]
    underway: dict[str, Underway] = field(default_factory=dict)
    disk_full: str = ""
    broken: str = ""
    _asked: int = 0
    _beaten: float = 0.0

    def run(self, interruption: Interruption) -> None:
        """Carry out all that is queued, until nothing is, somebody interrupts or the disk is full.

        Args:
            interruption: the block that this is called in. The first ends the runs, which go back
                to the queue; the second ends them at once.

        Raises:
            LedgerUnavailable, OSError: the ledger can't be written.
        """
        self._beaten = time.monotonic()
        while True:
            self._heed(interruption)
            stopping = bool(self._asked or self.disk_full or self.broken)
            if not stopping:
                self._fill()
            if not self.underway and (stopping or self._nothing_left()):
                return
            for ended in self.engine.poll(LOOK):
                self._end(ended)
            self._beat()
            self.show(list(self.underway.values()))

    def _heed(self, interruption: Interruption) -> None:
        if interruption.count <= self._asked:
            return
        self._asked = interruption.count
        how = "at once" if self._asked > 1 else "once more: at once"
        self.tell(f"interrupted; {len(self.underway)} runs end and go back to the queue ({how})")
        for each in self.underway.values():
            self.engine.stop(each.unit, at_once=self._asked > 1)

    def _fill(self) -> None:
        free = min(len(self.slots), self.engine.slots - len(self.underway))
        while free > 0 and not self.broken:
            leases = self.ledger.lease(self.work.worker, LEASE, limit=free)
            for lease in leases:
                self._begin(lease)
            # One that could not be started leaves its slot to another.
            free = min(len(self.slots), self.engine.slots - len(self.underway)) if leases else 0

    def _begin(self, lease: Lease) -> None:
        if self.broken:
            self.ledger.give_back(lease, f"it could not be started: {self.broken}")
            return
        entry = self.work.entries[lease.submission]
        if entry.refused:
            self.ledger.finish(lease, AUTHOR, reasons=[entry.publicly_refused])
            self.tell(f"{_title(lease)} author-failure: {entry.refused}")
            return
        slot = self.slots.pop(0)
        unit = self._unit(lease, entry, slot)
        try:
            where = self.engine.start(unit)
        except OSError as problem:
            # Each further one would fail alike, and use up its attempts.
            self.slots.append(slot)
            self.broken = str(problem)
            self.ledger.give_back(lease, f"it could not be started: {problem}")
            self.tell(f"{self.engine.name} starts no more runs: {problem}")
            return
        each = self.underway[unit.output] = Underway(unit, lease, slot, time.monotonic())
        try:
            self.ledger.begin(lease, where)
        except LostLease:  # it took so long to start that another has it
            self._lose(each)
        else:
            self.tell(f"{_title(lease)} started")

    def _unit(self, lease: Lease, entry: Entry, slot: Slot) -> Unit:
        work, image = self.work, entry.image
        output = results.place(work.folder, lease)
        visible = {"CUDA_VISIBLE_DEVICES": slot.gpu} if slot.gpu and image is None else {}
        return Unit(
            round=work.policy.name,
            policy=work.policy.digest,
            submission=lease.submission,
            name=lease.name,
            folder=str(entry.submission.folder),
            seed_index=lease.seed_index,
            attempt=lease.attempt,
            seed=work.seeds[lease.seed_index],
            level=work.policy.level,
            limits=entry.limits.as_dict(),
            output=str(output),
            record=str(results.record_of(work.folder, lease)),
            image=None if image is None else image.digest,
            image_name=None if image is None else image.name,
            accept=tuple(sorted(work.accept)),
            metrics=tuple((each.name, each.direction, each.unit) for each in entry.metrics),
            sealed=work.sealed,
            variables={**visible, **_order(slot)},
            cpus=slot.cpus_for(entry.limits.processors),
            gpus=(slot.gpu,) if slot.gpu and image is not None else (),
            trace=entry.trace,
            trace_steps=entry.trace_steps,
            in_git=entry.in_git,
        )

    def _end(self, ended: Ended) -> None:
        each = self.underway.pop(ended.unit.output)
        self.slots.append(each.slot)
        self.slots.sort(key=lambda slot: slot.number)
        if each.lost:
            return
        try:
            outcome, state = self._noted(ended, each.lease)
        except LostLease as problem:
            self.tell(str(problem))
            return
        took = time.monotonic() - each.began
        note = f": {ended.note}" if ended.note else ""
        how = outcome if outcome == state else f"{outcome}, {state}"
        self.tell(f"{_title(each.lease)} {how} after {took:.1f} s{note}")

    def _noted(self, ended: Ended, lease: Lease) -> tuple[str, str]:
        """Write into the ledger how an attempt ended; return the class and the state."""
        found = results.result(self.work.folder, lease)
        if found is not None:
            state = self.ledger.finish(
                lease, found.outcome, found.path, found.sha256, found.reasons, found.usage
            )
            return found.outcome, state
        if ended.exit_status == DISK_FULL:
            self._stop_for_room(ended.note)
            return INTERRUPTED, self.ledger.give_back(lease, "the disk was full")
        if self._asked or self.disk_full or ended.exit_status == EXIT_STATUSES[INTERRUPTED]:
            return INTERRUPTED, self.ledger.give_back(lease, "interrupted")
        note = ended.note or NO_RECORD
        if ended.printed and not self._is_public(lease):
            note = NO_RECORD  # its supervisor's last words may name the author's files
        # A scheduler that ended all of the run at its limit. Tried again, it would be a free try.
        kind = LIMIT if ended.exit_status == EXIT_STATUSES[LIMIT] else INFRASTRUCTURE
        return kind, self.ledger.finish(lease, kind, reasons=[note])

    def _is_public(self, lease: Lease) -> bool:
        return self.work.entries[lease.submission].submission.visibility == "public"

    def _stop_for_room(self, said: str) -> None:
        self.disk_full = self.disk_full or said or "a file could not be written"
        for other in self.underway.values():
            self.engine.stop(other.unit, at_once=True)

    def _nothing_left(self) -> bool:
        """Tell whether nothing is queued, here or for a lease of another machine that is over."""
        self.ledger.expire()
        counts = self.ledger.status().counts
        return not counts["queued"] and not counts["leased"] and not counts["running"]

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._beaten < BEAT:
            return
        self._beaten = now
        for each in self.underway.values():
            if not each.lost and not self.ledger.beat(each.lease, LEASE):
                self._lose(each)
        self.ledger.expire()

    def _lose(self, each: Underway) -> None:
        each.lost = True
        self.tell(f"{_title(each.lease)} was lost to another worker, and is ended")
        self.engine.stop(each.unit, at_once=True)


def _title(lease: Lease) -> str:
    again = f", attempt {lease.attempt}" if lease.attempt > 1 else ""
    return f"{lease.name}, seed index {lease.seed_index}{again}:"


def _order(slot: Slot) -> dict[str, str]:
    # Numbers mean what nvidia-smi shows (CUDA C++ Programming Guide, "CUDA Environment Variables").
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if slot.gpu else {}
