"""Measure a ledger of 10,000 submissions x 10 seeds: its status, and leases to 8 processes.

Fills a new ledger, has 8 worker processes take one run after the other for some seconds while
nobody else writes, and asks for the status as `seedlock status` does. A URL of an empty PostgreSQL
database, or of a schema in one, can be given instead of SQLite's file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy

from seedlock.evaluation.ledger.ledger import Ledger

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from benchmarks import pairs
else:
    import pairs

LIMITS = {
    "leases per second, each with its event": "limit: 200 at least",
    "status, ms (median of 9)": "limit: 200",
}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="an empty PostgreSQL database (default: SQLite, here)")
    parser.add_argument("--folder", default=".", help="where SQLite's file is made (default: .)")
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(options, options.url or str(Path(folder) / "ledger.db"))
    print(pairs.header())
    print(f"SQLite {sqlite3.sqlite_version}, SQLAlchemy {sqlalchemy.__version__}")
    for name, value in figures.items():
        print(f"{name:<48} {value:>12,.1f}  {LIMITS.get(name, '')}".rstrip())
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def measure(options: argparse.Namespace, where: str) -> dict[str, float]:
    """Return the figures by their names."""
    figures: dict[str, float] = {}
    begin = time.perf_counter()
    with Ledger.open(where) as ledger:
        server = ledger.database.server
        ledger.enter("benchmark", "sha256:" + "0" * 64, 2)
        ledger.add_all(
            [
                (f"sha256:{number:064d}", f"submission-{number}", "public", options.seeds)
                for number in range(options.submissions)
            ]
        )
        figures["filling it, s"] = time.perf_counter() - begin
    rates = [leases(where, options.workers, options.seconds, limit) for limit in (1, 8)]
    figures["leases per second, each with its event"] = rates[0]
    figures["the same, 8 at once"] = rates[1]
    figures["runs per second: leased, begun, finished"] = runs(where)
    with Ledger.open(where, create=False) as ledger:
        figures["status, ms (median of 9)"] = 1000 * statistics.median(
            [seconds(lambda: ledger.status().to_json()) for _ in range(9)]
        )
        figures["verify, s"] = seconds(lambda: ledger.verify().problems and sys.exit("not whole"))
        figures["events"] = ledger.head()[0]
    command = [sys.executable, "-m", "seedlock", "status", where]
    figures["seedlock status, the command, ms (median of 5)"] = 1000 * statistics.median(
        [
            seconds(lambda: subprocess.run(command, check=True, capture_output=True))
            for _ in range(5)
        ]
    )
    if not server:
        figures["file, MB"] = sum(
            each.stat().st_size for each in Path(where).parent.glob("ledger.db*")
        ) / 1e6  # fmt: skip
    return figures


def seconds(do: Any) -> float:
    """Return how long it takes."""
    begin = time.perf_counter()
    do()
    return time.perf_counter() - begin


def leases(where: str, workers: int, span: float, limit: int) -> float:
    """Return how many leases per second so many processes get together."""
    context = multiprocessing.get_context("fork")
    start, counts = context.Barrier(workers), context.Queue()
    processes = [
        context.Process(target=take, args=(where, f"worker {number}", span, limit, start, counts))
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    total = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return float(total / span)


def take(where: str, name: str, span: float, limit: int, start: Barrier, counts: Any) -> None:
    """Lease for some seconds and count."""
    with Ledger.open(where, create=False) as ledger:
        ledger.head()
        start.wait()
        taken, end = 0, time.monotonic() + span
        while time.monotonic() < end:
            taken += len(ledger.lease(name, 3600, limit=limit))
        counts.put(taken)


def runs(where: str, number: int = 200) -> float:
    """Return how many runs per second one process leads through all their events."""
    with Ledger.open(where, create=False) as ledger:
        begin = time.perf_counter()
        for _ in range(number):
            (lease,) = ledger.lease("one", 3600)
            ledger.begin(lease, "nowhere")
            ledger.finish(lease, "done", "runs/x.json", "0" * 64)
        return number / (time.perf_counter() - begin)


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
