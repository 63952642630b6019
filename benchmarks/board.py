"""Measure the leaderboard's server under load: a round of 1,000 submissions x 10 seeds.

The round is synthetic and its formats are real (tests/leaderboard/large_round.py). A fresh server
finds its published files, and wrk asks for one page after the other over
loopback, with 2 threads and 16 connections, as visitors do who have not signed in. Server and wrk
share this machine's processors. Verdicts are printed, not enforced; the exit status is 0 unless
something failed, an answer that is no success included.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from seedlock.leaderboard.kept_rounds import STALE
from tests import debian
from tests.leaderboard import large_round
from tests.leaderboard.served import Served, serving
from tests.leaderboard.work import Organiser

if TYPE_CHECKING:
    from benchmarks import pairs
else:
    import pairs

RATE, P99 = 200, 100.0
"""Requests a second at least; milliseconds at most."""

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
"""Milliseconds of wrk's units."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=10, help="of load on each page")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument(
        "--publish", action="store_true", help="by seedlock board publish, which takes minutes"
    )
    parser.add_argument("--database", help="a PostgreSQL URL (default: SQLite)")
    parser.add_argument("--folder", default=".", help="where files are made (default: .)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    wrk = debian.installed(lambda: shutil.which("wrk"), "wrk")
    if wrk is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(options, wrk, Path(folder).resolve())
    print(pairs.header())
    asked = f"{options.threads} threads, {options.connections} connections"
    print(f"wrk       {asked}, {options.seconds} s on each page")
    print(f"{'':<40} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'KiB':>8}  limits")
    for name, each in figures["pages"].items():
        holds = each["rate"] >= RATE and each["p99"] < P99
        verdict = f"{RATE}/s, p99 {P99:g} ms: {'hold' if holds else 'MISSED'}"
        print(
            f"{name:<40} {each['rate']:>10.0f} {each['p50']:>8.1f} {each['p99']:>8.1f} "
            f"{each['bytes'] / 1024:>8.0f}  {verdict}"
        )
    for name, value in figures["once"].items():
        print(f"{name:<40} {value:>10.1f}")
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def measure(options: argparse.Namespace, wrk: str, folder: Path) -> dict[str, Any]:
    """Return the figures: of pages under load, and of what happens once."""
    shape = large_round.Shape(options.submissions, options.seeds)
    once = {}
    begin = time.perf_counter()
    large_round.make(folder / "round", shape)
    once["making the round, s"] = time.perf_counter() - begin
    first = next(
        each["name"] for each in large_round.entries(shape) if each["visibility"] == "public"
    )
    database = ["--database", options.database] if options.database else []
    if not options.publish:
        # As a server that was killed in the middle of a publication finds it when it starts again.
        (folder / "server" / "rounds").mkdir(parents=True)
        (folder / "round").rename(folder / "server" / "rounds" / shape.name)
        (folder / "server" / "rounds" / shape.name / STALE).touch()
    begin = time.perf_counter()
    with serving(folder / "server", "--rate", "0", *database) as served:
        once["starting the server on it, s"] = time.perf_counter() - begin
        if options.publish:
            begin = time.perf_counter()
            Organiser(served, folder).publish(folder / "round")
            once["publishing it, s"] = time.perf_counter() - begin
        pages = {}
        for name, path in paths(shape.name, first).items():
            begin = time.perf_counter()
            content = subprocess.run(
                ["curl", "-sSf", served.url + path], check=True, capture_output=True
            ).stdout
            once[f"{name}, the first time, ms"] = 1000 * (time.perf_counter() - begin)
            pages[name] = {**load(options, wrk, served, path), "bytes": len(content)}
    return {"pages": pages, "once": once}


def paths(name: str, submission: str) -> dict[str, str]:
    """Return what is asked for, by what it is."""
    return {
        "board": f"/rounds/{name}",
        "board, page 7, by runtime": f"/rounds/{name}?page=7&sort=runtime",
        "board, filtered": f"/rounds/{name}?filter=tree",
        "board as JSON": f"/api/v1/rounds/{name}/board",
        "a submission": f"/rounds/{name}/submissions/{submission}",
        "two submissions compared": f"/rounds/{name}/compare?a={submission}&b=wide-1",
    }


def load(options: argparse.Namespace, wrk: str, served: Served, path: str) -> dict[str, float]:
    """Return requests a second and milliseconds of waiting, as wrk has them."""
    words = [
        wrk, "--latency", f"-t{options.threads}", f"-c{options.connections}",
        f"-d{options.seconds}s", served.url + path,
    ]  # fmt: skip
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{path}: {said}")
    found = {
        part: float(number) * UNITS[unit]
        for part, number, unit in re.findall(r"(\d\d)%\s+([0-9.]+)(us|ms|s|m)\b", said)
    }
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    assert rate, said
    return {"rate": float(rate.group(1)), "p50": found["50"], "p99": found["99"]}


if __name__ == "__main__":
    sys.exit(main())
