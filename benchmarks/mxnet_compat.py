"""Print what MXNet's compatibility layer costs an interpreter that never imports mxnet.

    python benchmarks/mxnet_compat.py [--pairs N]

Two environments are made in a temporary folder, each with an empty mxnet; one of these has the
layer. `python -c pass` is then started in turn in each, and the difference of the medians is the
price. Instruction counts stand beside the times: they repeat where times do not. The exit status
is 1 if the price is above the limit.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "version-lock"
LIMIT_MS = 0.2


def make_twins(folder: Path) -> dict[str, Path]:
    """Return the interpreters of two environments, `bare` and `layer`, that differ in the layer."""
    for name in ("bare", "layer"):
        venv.create(folder / name, symlinks=True, with_pip=False)
        (packages,) = (folder / name).glob("lib/python3.*/site-packages")
        slot = packages / "mxnet" / "_cy3"
        slot.mkdir(parents=True)
        for package in (slot.parent, slot):
            (package / "__init__.py").touch()
        if name == "layer":
            shutil.copy(LOCK / "mxnet_numpy_compat.py", slot / "ndarray.py")
    return {name: folder / name / "bin" / "python" for name in ("bare", "layer")}


def clean_environment() -> dict[str, str]:
    """Return our variables without those that change how an interpreter starts."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("REPRO_", "PYTHON"))} | {
        # A random hash seed moves dictionaries about, and with them the instruction count.
        "PYTHONHASHSEED": "0"
    }


def milliseconds(python: Path, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    process = os.posix_spawn(python, [str(python), "-c", "pass"], environment)
    _, status = os.waitpid(process, 0)
    if status != 0:
        raise RuntimeError(f"{python} -c pass ended with wait status {status}")
    return (time.perf_counter() - started) * 1000


def instructions(python: Path, environment: dict[str, str]) -> tuple[int, str] | None:
    """Count the instructions of one start, by the first counter that this machine has."""
    perf = ["perf", "stat", "-x", ",", "-e", "instructions:u"]
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    for command, pattern in ((perf, r"^(\d+),"), (callgrind, r"Collected : (\d+)")):
        if shutil.which(command[0]) is None:
            continue
        result = subprocess.run(
            [*command, python, "-c", "pass"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(pattern, result.stderr, re.MULTILINE)
        if found:
            return int(found[1]), command[0]
    return None


def cpu_model() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return found[1] if found else platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=400, help="at least 60 (default: 400)")
    options = parser.parse_args()
    if options.pairs < 60:
        parser.error(f"--pairs is {options.pairs}; fewer than 60 say nothing about 0.1 ms")

    environment = clean_environment()
    times: dict[str, list[float]] = {"bare": [], "layer": []}
    with tempfile.TemporaryDirectory(prefix="mxnet_compat_") as folder:
        twins = make_twins(Path(folder))
        for python in twins.values():
            for _ in range(3):
                milliseconds(python, environment)
        for pair in range(options.pairs):
            # The second of two starts may find warmer caches: take turns in going first.
            for name in ("bare", "layer") if pair % 2 else ("layer", "bare"):
                times[name].append(milliseconds(twins[name], environment))
        counts = {name: instructions(python, environment) for name, python in twins.items()}

    median = {name: statistics.median(values) for name, values in times.items()}
    price = median["layer"] - median["bare"]
    print(f"date         {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}")
    print(f"machine      {cpu_model()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    print(f"python       {platform.python_version()}, {platform.platform()}")
    print(f"bare         {median['bare']:.3f} ms, median of {options.pairs}")
    print(f"with layer   {median['layer']:.3f} ms, median of {options.pairs}, interleaved")
    print(f"price        {price:+.3f} ms (limit {LIMIT_MS} ms)")
    print(f"ratio        {median['layer'] / median['bare']:.4f}")
    bare, layer = counts["bare"], counts["layer"]
    if bare is None or layer is None:
        print("instructions no counter on this machine (perf, valgrind)")
    else:
        print(
            f"instructions {bare[0]:,} and {layer[0]:,}: {layer[0] - bare[0]:+,}, "
            f"ratio {layer[0] / bare[0]:.4f} ({layer[1]})"
        )
    if price >= LIMIT_MS:
        print(f"above the limit of {LIMIT_MS} ms", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
