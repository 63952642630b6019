"""Measure what `seedlock evaluate` adds to a run, and how busy it keeps the processors.

A round of one small submission is evaluated with one job, and the time from one lease to the next
is compared with the program alone, started the same number of times before and after; both on this
machine. Then one processor-bound submission is evaluated with as many jobs as there are processors,
and the processor time of its programs is compared with what the processors could have given from
the first start to the last end. The exit status is 0 whatever the verdicts, 1 if something failed
to run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

from seedlock.evaluation.ledger.ledger import Ledger
from seedlock.evaluation.recording import source
from seedlock.evaluation.rounds import steps
from seedlock.evaluation.rounds.canonical import now

LIMITS = {"process": 0.5, "docker": 1.5}
"""Seconds."""

BUSY = 0.95

ACCEPT = {"process": ("memory", "processors"), "docker": ()}

SMALL = """
import os, numpy, seedlock
weights = numpy.random.rand(10)
seedlock.log_metric("loss", float(weights.mean()))
numpy.save(os.environ["REPRO_OUTPUT"] + "/weights.npy", weights)
"""

BOUND = """
import time, seedlock
while time.process_time() < {seconds}:
    sum(range(10_000))
seedlock.log_metric("loss", 1.0)
"""

SUBMISSION = """
name = "measured"
command = ["python", "train.py"]
visibility = "private"
[image]
name = "{image}"
[metrics.loss]
direction = "min"
"""

POLICY = """
name = "measured"
seeds = {seeds}
deadline = 2099-01-01T00:00:00Z
beacon = "none"
[metrics.loss]
direction = "min"
[limits]
processors = "1"
memory = "1g"
"""

BIN = str(Path(sys.executable).parent)
PATH = f"{BIN}:{os.environ['PATH']}"


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=LIMITS, nargs="+", default=list(LIMITS))
    parser.add_argument("--runs", type=int, default=20, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of a processor-bound run (default: 20)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="such runs per processor (default 3)")
    parser.add_argument("--image", default="conference/repro-base")
    options = parser.parse_args()
    versions = ", ".join(f"{each} {version(each)}" for each in ("seedlock", "SQLAlchemy", "numpy"))
    print(f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, {platform.platform()}")
    print(
        f"{_processor()}, {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}"
    )
    print(f"Python {platform.python_version()}, {versions}, {_engine_version()}")
    for engine in options.engine:
        _overhead(engine, options.runs, options.image)
    for engine in options.engine:
        _busy(engine, options.seconds, options.rounds, options.image)
    return 0


def _overhead(engine: str, runs: int, image: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = _make(folder, SMALL, runs, image)
        alone = [_alone(folder) for _ in range(runs)]
        _evaluate(made, folder, engine, jobs=1)
        alone += [_alone(folder) for _ in range(runs)]
        times = [*_events(made, "leased"), _events(made, "ended")[-1]]
        # The first run of a session warms what the others share.
        cycles = [later - earlier for earlier, later in pairwise(times[1:])]
    more = statistics.median(cycles) - statistics.median(alone)
    verdict = "holds" if more <= LIMITS[engine] else "does not hold"
    print(
        f"{engine}: alone {statistics.median(alone):.3f} s, evaluated "
        f"{statistics.median(cycles):.3f} s (quartiles {_quartiles(cycles)}): {more:.3f} s more "
        f"per run; limit {LIMITS[engine]} s: {verdict}"
    )


def _busy(engine: str, seconds: float, rounds: int, image: str) -> None:
    jobs = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = _make(folder, BOUND.format(seconds=seconds), jobs * rounds, image)
        _evaluate(made, folder, engine, jobs)
        begun, ended = _events(made, "leased"), _events(made, "ended")
        wall = ended[-1] - begun[0]
        used = 0.0
        for path in (made / "runs" / "measured").glob("*-1.json"):
            usage = json.loads(path.read_text())["usage"]
            used += usage["user_s"] + usage["system_s"]
    share = used / (jobs * wall)
    verdict = "holds" if share >= BUSY else "does not hold"
    print(
        f"{engine}: {jobs * rounds} runs of {seconds:g} s on {jobs} processors in {wall:.1f} s: "
        f"their programs kept these {100 * share:.1f} % busy; limit {100 * BUSY:.0f} %: {verdict}"
    )


def _make(folder: Path, program: str, seeds: int, image: str) -> Path:
    """Make a round of one submission; return its folder."""
    of = folder / "measured"
    of.mkdir()
    folder.chmod(0o755)
    (of / "submission.toml").write_text(SUBMISSION.format(image=image))
    (of / "train.py").write_text(program)
    policy = folder / "policy.toml"
    policy.write_text(POLICY.format(seeds=seeds))
    this = steps.open_round(folder / "round", policy, now())
    entry = {"name": "measured", "digest": source.look(of).digest, "visibility": "private"}
    steps.freeze_round(this, [entry], now(), early=True)
    steps.draw_round(this, None, now())
    return folder / "round"


def _evaluate(made: Path, folder: Path, engine: str, jobs: int) -> None:
    words = [f"{BIN}/seedlock", "evaluate", str(made), str(folder / "measured"), "--engine", engine]
    words += ["--jobs", str(jobs)]
    for promise in ACCEPT[engine]:
        words += ["--accept", promise]
    environ = {**os.environ, "PATH": PATH}
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    with Ledger.open(made) as ledger:
        counts = ledger.status().counts
    if done.returncode != 0 or counts["done"] != sum(counts.values()):
        sys.exit(f"seedlock evaluate: status {done.returncode}, {counts}\n{done.stderr}")


def _alone(folder: Path) -> float:
    """Return the seconds that the program takes by itself, without a seed."""
    with tempfile.TemporaryDirectory() as output:
        environ = {**os.environ, "PATH": PATH, "REPRO_OUTPUT": output}
        began = time.perf_counter()
        subprocess.run(["python", "train.py"], cwd=folder / "measured", env=environ, check=True)
        return time.perf_counter() - began


def _events(made: Path, kind: str) -> list[float]:
    """Return the times, in seconds, of a round's events of a kind, in their order."""
    with Ledger.open(made) as ledger:
        found = [each for each in ledger.events() if each["kind"] == kind]
    stamps = (each["time"].replace("Z", "+00:00") for each in found)
    return [datetime.fromisoformat(each).timestamp() for each in stamps]


def _quartiles(values: list[float]) -> str:
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:.3f} to {high:.3f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _engine_version() -> str:
    client = shutil.which(os.environ.get("DOCKER") or "docker")
    if client is None:
        return "no container engine"
    words = [client, "version", "--format", "docker {{.Server.Version}}"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
