"""Measure what seedlock costs the start of an interpreter.

Two environments with nothing in them are made in a temporary folder, once per base interpreter:
the one of the running environment and Debian's, which the image has. The second environment gets
seedlock. `python -c pass` is then started in turn, bare, with seedlock and REPRO_SEED unset, and
with REPRO_SEED set. Instruction counts stand beside the times: they repeat where times do not.
The exit status is 0 whatever the verdicts, 1 if something failed to run or if a framework was
imported at the start.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import pairs
    from benchmarks.pairs import Failed, Figure, Sample
else:
    import pairs
    from pairs import Failed, Figure, Sample

DEBIAN = Path("/usr/bin/python3.11")
DIST = Path(__file__).resolve().parents[1] / "build" / "dist"
UNSET_LIMIT = 1.02
SET_LIMIT = 1.15
COMMAND = ("-c", "pass")

Variants = dict[str, tuple[str, dict[str, str]]]
"""Name of a variant -> interpreter and environment."""

Times = dict[str, dict[str, list[float]]]
"""Name of a variant -> `wall` and `processor` -> seconds of each round."""


def main() -> int:
    """Measure and print; return the exit status."""
    options = pairs.parser(__doc__, pairs=200).parse_args()
    figures: list[Figure] = []
    notes: list[str] = []
    counted: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(prefix="seedlock-start-") as folder:
        for number, base in enumerate(bases()):
            label = interpreter_name(base)
            twins = make_twins(base, Path(folder) / str(number))
            variants = starts(twins, str(Path(folder) / "reports"))
            times = measure(variants, options.pairs, label)
            figures += compare(label, times)
            counts = {name: instructions(*variants[name]) for name in variants}
            counted[label] = {name: found[0] for name, found in counts.items() if found}
            notes += count_lines(label, counts)
        variants = here()
        times = measure(variants, options.pairs, "this environment")
        figures.append(
            pairs.figure(
                "this environment: REPRO_SEED set, against unset",
                times["unset"]["wall"],
                times["set"]["wall"],
            )
        )
        notes.append(frameworks_after_start())
    pairs.finish(figures, options.pairs, options.json, notes, {"instructions": counted})
    return 0


def bases() -> Iterator[str]:
    """Yield the base interpreters: our own, and Debian's if that is another one."""
    own = str(getattr(sys, "_base_executable", sys.executable))
    yield own
    if DEBIAN.exists() and os.path.realpath(DEBIAN) != os.path.realpath(own):
        yield str(DEBIAN)


def interpreter_name(base: str) -> str:
    """Return a short name of an interpreter: version, and whose it is."""
    version = subprocess.run([base, "-V"], capture_output=True, text=True, check=True).stdout
    whose = "Debian's" if os.path.realpath(base) == os.path.realpath(DEBIAN) else "running"
    return f"{whose} {version.split()[1]}"


def make_twins(base: str, folder: Path) -> dict[str, str]:
    """Make two environments that differ in seedlock; return their interpreters.

    Raises:
        Failed: they could not be made.
    """
    environment = pairs.plain_environment()
    interpreters: dict[str, str] = {}
    for name in ("bare", "with"):
        target = folder / name
        pairs.launch([base, "-m", "venv", "--without-pip", str(target)], environment)
        interpreters[name] = str(target / "bin" / "python")
        (packages,) = target.glob("lib/python3.*/site-packages")
        if name == "with":
            install_seedlock(packages)
        pairs.launch(
            [interpreters[name], "-m", "compileall", "-q", str(packages)],
            environment,
        )
    check = "import sys; assert 'seedlock.startup' in sys.modules"
    pairs.launch([interpreters["with"], "-c", check], environment | {"REPRO_SEED": pairs.SEED})
    return interpreters


def install_seedlock(packages: Path) -> None:
    """Unpack the built wheel, or copy the files of the seedlock that is installed here.

    Raises:
        Failed: there is neither.
    """
    wheels = sorted(DIST.glob("seedlock-*.whl"))
    if len(wheels) == 1:
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(packages)
        return
    try:
        files = importlib.metadata.files("seedlock") or []
    except importlib.metadata.PackageNotFoundError:
        raise Failed("no wheel in build/dist and no seedlock installed: say make dist") from None
    for file in files:
        if ".." not in file.parts and file.suffix != ".pyc":
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), packages / file)


def starts(twins: dict[str, str], reports: str) -> Variants:
    """Return every start that is compared."""
    hashing = pairs.hash_seed()
    only = {"PYTHONHASHSEED": hashing["PYTHONHASHSEED"]}
    plain = pairs.plain_environment()
    seed = {"REPRO_SEED": pairs.SEED}
    return {
        "bare": (twins["bare"], plain | only),
        "unset": (twins["with"], plain | only),
        "set": (twins["with"], plain | hashing | seed),
        "set, no note": (twins["with"], plain | only | seed),
        "set, started anew": (twins["with"], plain | seed),
        "set, report": (twins["with"], plain | hashing | seed | {"REPRO_REPORT": reports}),
    }


def here() -> Variants:
    """Return the starts that are compared in the running environment, with all it has."""
    return {
        "unset": (sys.executable, pairs.free_environment()),
        "set": (sys.executable, pairs.locked_environment()),
    }


def measure(variants: Variants, rounds: int, label: str) -> Times:
    """Return the times of all variants."""

    def once(python: str, environment: dict[str, str]) -> Sample:
        ended = pairs.launch([python, *COMMAND], environment)
        return {"wall": ended.wall, "processor": ended.cpu}

    return pairs.interleave(
        {name: partial(once, *of) for name, of in variants.items()},
        rounds,
        label,
    )


def compare(label: str, times: Times) -> list[Figure]:
    """Return the figures of one pair of twins, each against the bare one."""
    rows = (
        ("unset", "REPRO_SEED unset", UNSET_LIMIT),
        ("set", "REPRO_SEED set", SET_LIMIT),
        ("set, no note", "set, PYTHONHASHSEED right but not noted", None),
        ("set, started anew", "set, started anew for PYTHONHASHSEED", None),
        ("set, report", "set, REPRO_REPORT set", None),
    )
    figures = []
    for name, text, limit in rows:
        row = f"{label}: {text}"
        figures.append(pairs.figure(row, times["bare"]["wall"], times[name]["wall"], limit))
        if limit is not None:
            before, after = times["bare"]["processor"], times[name]["processor"]
            figures.append(pairs.figure(f"{row}, processor time", before, after))
    return figures


def instructions(python: str, environment: dict[str, str]) -> tuple[int, str] | None:
    """Count the instructions of one start, by the first counter that this machine has."""
    perf = ["perf", "stat", "-x", ",", "-e", "instructions:u"]
    callgrind = [
        "valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=/dev/null",
    ]  # fmt: skip
    for command, pattern in ((perf, r"^(\d+),"), (callgrind, r"Collected : (\d+)")):
        if shutil.which(command[0]) is None:
            continue
        pairs.progress(f"counting instructions with {command[0]}")
        done = subprocess.run(
            [*command, python, *COMMAND],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.findall(pattern, done.stderr, re.MULTILINE)
        if found:
            return sum(map(int, found)), command[0]
    return None


def count_lines(label: str, counts: dict[str, tuple[int, str] | None]) -> list[str]:
    """Return the lines that tell the instruction counts."""
    bare = counts["bare"]
    if bare is None:
        return [f"{label}: no instruction counts, neither perf's counter nor valgrind is there"]
    lines = [f"{label}: bare {bare[0]:,} instructions ({bare[1]}, one start each)"]
    for name, count in counts.items():
        # callgrind does not see the part before the exec.
        if count is None or name in ("bare", "set, started anew"):
            continue
        more = count[0] - bare[0]
        lines.append(f"  {name:<14} {count[0]:>12,}  {more:>+11,}  ratio {count[0] / bare[0]:.4f}")
    return lines


def frameworks_after_start() -> str:
    """Return the line that says that a locked start imports no framework.

    Raises:
        Failed: it does, or seedlock did not start.
    """
    script = "import sys; print(*sys.modules)"
    free, locked = (
        set(pairs.launch([sys.executable, "-c", script], environment).output.split())
        for environment in (pairs.free_environment(), pairs.locked_environment())
    )
    found = {name.split(".")[0] for name in locked} & {*pairs.FRAMEWORKS, "jaxlib"}
    if found:
        raise Failed(f"a start with REPRO_SEED set imported {', '.join(sorted(found))}")
    if "seedlock.startup" not in locked:
        raise Failed("seedlock is not installed in this environment: say make venv")
    return (
        "no framework in sys.modules after a start with REPRO_SEED set; imported beyond a start "
        f"without: {', '.join(sorted(locked - free))}"
    )


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
