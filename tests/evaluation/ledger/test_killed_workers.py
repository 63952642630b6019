"""Workers that are killed at any moment: nothing is handed out twice, and nothing is lost.

tests/services/test_ledger_postgresql.py runs this test against PostgreSQL.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from collections import Counter
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from seedlock.evaluation.ledger.leases import Lease
from seedlock.evaluation.ledger.ledger import Ledger
from tests.evaluation.ledger.made import RECORD, fill

OUTCOMES = ("done", "done", "author-failure", "limit", "infrastructure", "interrupted")

HOUR = 3600.0
SUBMISSIONS = [f"submission-{number}" for number in range(16)]
SEEDS = 4
WORKERS = 4
GENERATIONS = 4


def work(where: str, name: str, later: float, log: Path) -> None:
    """Carry out runs until there are none, and note each lease before anything is done with it.

    Args:
        where: the ledger.
        name: this worker.
        later: seconds that its clock goes ahead, so that a lease of the generation before is over
            whenever it was given.
        log: gets one line per lease.
    """
    draw = random.Random(name)
    with Ledger.open(where, create=False, clock=lambda: time.time() + later) as ledger:
        while True:
            ledger.expire()
            leases = ledger.lease(name, HOUR, limit=draw.randint(1, 3))
            if not leases:
                return
            for lease in leases:
                note(log, lease)
            for lease in leases:
                if draw.random() < 0.1:
                    ledger.give_back(lease, "not now")
                    continue
                ledger.begin(lease, f"{name} {lease.token}")
                ledger.beat(lease, HOUR)
                ledger.finish(lease, draw.choice(OUTCOMES), f"runs/{lease.token}.json", RECORD)


def note(log: Path, lease: Lease) -> None:
    """Write a line that a kill can't tear."""
    line = json.dumps([lease.submission, lease.seed_index, lease.attempt, lease.token])
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def kill(workers: list[ForkServerProcess], logs: dict[str, Path], draw: random.Random) -> None:
    """Kill each worker after some leases, so that it is in the middle of its work, and not before;
    what is asserted does not depend on it."""
    lines = {worker.name: draw.randint(1, 4) for worker in workers}
    left = list(workers)
    for _ in range(2000):
        for worker in list(left):
            log = logs[worker.name]
            had = log.read_text().count("\n") if log.exists() else 0
            if had >= lines[worker.name] or not worker.is_alive():
                time.sleep(draw.uniform(0, 0.01))
                worker.kill()
                left.remove(worker)
        if not left:
            return
        time.sleep(0.002)
    for worker in left:
        worker.kill()


def test_nothing_is_leased_twice_though_workers_are_killed(where: str, tmp_path: Path) -> None:
    """Four generations of processes, killed -9 but for the last: every run comes to its end."""
    # From a process without threads: pytest's own may have some, whose locks a fork would keep.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    draw = random.Random("when they are killed")
    with Ledger.open(where) as ledger:
        fill(ledger, *SUBMISSIONS, seeds=SEEDS, retries=2)
    noted: dict[int, tuple[str, list[object]]] = {}

    for generation in range(GENERATIONS):
        names = [f"worker {generation}.{number}" for number in range(WORKERS)]
        logs = {name: tmp_path / f"{name}.jsonl" for name in names}
        workers = [
            context.Process(
                target=work, name=name, args=(where, name, generation * 2 * HOUR, logs[name])
            )
            for name in names
        ]
        for worker in workers:
            worker.start()
        if generation < GENERATIONS - 1:
            kill(workers, logs, draw)
        for worker in workers:
            worker.join(timeout=300)
            assert worker.exitcode == 0 or generation < GENERATIONS - 1
        for name, log in logs.items():
            for line in log.read_text().splitlines() if log.exists() else ():
                *what, token = json.loads(line)
                assert token not in noted, f"{noted[token]} and {name} hold {token}"
                noted[token] = name, what

    # What the last generation's clock could not see yet, as leases of its own end.
    with Ledger.open(where, clock=lambda: time.time() + GENERATIONS * 2 * HOUR) as ledger:
        assert ledger.verify([ledger.head()]).problems == []
        assert ledger.held() == []
        status = ledger.status()
        assert status.complete
        assert status.seeds == len(SUBMISSIONS) * SEEDS == sum(status.counts.values())
        events = list(ledger.events())
    given = {
        event["sequence"]: (event["worker"], [event[each] for each in KEY])
        for event in events
        if event["kind"] == "leased"
    }
    # A kill between the lease and its note may leave one without; never the other way round.
    assert noted.items() <= given.items()
    begun = Counter(
        tuple(event[each] for each in KEY) for event in events if event["kind"] == "running"
    )
    assert set(begun.values()) == {1}
    final = Counter(
        (event["submission"], event["seed_index"])
        for event in events
        if event["kind"] == "ended" and event["content"]["next"] is None
    )
    assert len(final) == status.seeds
    assert set(final.values()) == {1}


KEY = ("submission", "seed_index", "attempt")
