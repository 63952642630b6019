"""Measure what `seedlock diff` takes for two long traces that differ in one late event.

The traces are written into a temporary folder, 150 bytes an event, and compared by a child process,
whose largest resident set is its peak; that of a comparison of two events is told as well. The
limit of 200 MB is for 10 million events: `python benchmarks/trace_memory.py --events 10000000`
needs 3.2 GB of disk. Exit status 1 where the wrong event is found or the limit is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MIB = 200e6 / 2**20

OPERATIONS = ("aten.mul.Tensor", "aten.addmm.default", "aten.relu.default", "aten.sum.default")
PER_STEP = 50
LINES = 10_000


def write(folder: Path, events: int, planted: int) -> int:
    """Write a run of `events` events, of which number `planted` has another digest if it is not
    negative, and return the trace's size in bytes."""
    folder.mkdir()
    trace = folder / "100-18ea53e7b1258e00.trace.jsonl"
    header = {
        "kind": "trace", "schema": 1, "mode": "op", "algorithm": "xxh3", "steps": None,
        "place": "", "cwd": "/home/author", "seed": 7,
    }  # fmt: skip
    with trace.open("w", encoding="ascii") as file:
        file.write(json.dumps(header, separators=(",", ":")) + "\n")
        for first in range(0, events, LINES):
            file.writelines(
                line(number, number == planted)
                for number in range(first, min(first + LINES, events))
            )
        file.write(f'{{"kind":"end","events":{events},"left_out":0}}\n')
    report = {"process": {"lineage": ""}}
    trace.with_name("100-18ea53e7b1258e00.json").write_text(json.dumps(report))
    return trace.stat().st_size


def line(number: int, other: bool) -> str:
    """Return an event: every fiftieth is an optimizer's step."""
    step, place = divmod(number, PER_STEP)
    last = place == PER_STEP - 1
    kind, name = ("step", "SGD.step") if last else ("op", OPERATIONS[number % len(OPERATIONS)])
    digest = f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}"
    return (
        f'{{"kind":"{kind}","step":{step},"op":"{name}","at":"train.py:{40 + place}",'
        f'"digest":"{digest[:-1]}{"01"[other]}","what":"float32[128,256]"}}\n'
    )


def compare(folder: Path) -> tuple[float, float, dict[str, object]]:
    """Compare runs a and b in a child; return its peak in MiB, its seconds and what it printed."""
    command = [sys.executable, "-m", "seedlock", "diff", "--json", str(folder / "a"),
               str(folder / "b")]  # fmt: skip
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        # Of this child alone: RUSAGE_CHILDREN holds the largest of all.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begin
        out.seek(0)
        printed = out.read()
    if child.returncode != 1:
        raise SystemExit(f"seedlock diff ended with status {child.returncode}")
    return usage.ru_maxrss / 1024, seconds, json.loads(printed)


def main() -> int:
    """Write, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1_000_000, help="default: 1000000")
    parser.add_argument("--folder", help="where to write (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    planted = max(0, options.events - 1 - options.events // 100)
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        for name, events, at in (("few", 2, 1), ("many", options.events, planted)):
            (Path(temporary) / name).mkdir()
            size = write(Path(temporary) / name / "a", events, -1)
            write(Path(temporary) / name / "b", events, at)
        least, _, _ = compare(Path(temporary) / "few")
        peak, seconds, printed = compare(Path(temporary) / "many")
    divergence = printed["divergence"]
    assert isinstance(divergence, dict)
    found = {
        "events": options.events,
        "bytes": size,
        "planted": planted,
        "index": divergence["index"],
        "seconds": round(seconds, 2),
        "peak_mib": round(peak, 1),
        "growth_mib": round(peak - least, 1),
    }
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{options.events} events, {size / 1e6:.0f} MB a trace, compared in {seconds:.1f} s")
        print(f"peak {peak:.1f} MiB, {peak - least:.1f} MiB more than for two events")
        print(f"planted at {planted}, found at {divergence['index']}")
    return 0 if divergence["index"] == planted and peak < LIMIT_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
