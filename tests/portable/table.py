"""`make portable-table`: which framework gives the same bits on which machine, level by level.

    python -m tests.portable.table                          # all levels, float32
    python -m tests.portable.table --levels strict --types float32 float64 --operations

Prints the rows of the table in docs/determinism.md as they come, and on stderr how long each run
took. Every run is held against one on this machine with all its processors; `again` is a second one
of these. Levels seed, warn and strict promise nothing for the other machines: what is seen there is
what a change of machine costs, and a difference is no fault.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from seedlock.errors import SeedlockError
from seedlock.evaluation.divergence import Divergence, first_divergence
from seedlock.evaluation.traces import Run
from tests.portable.machines import MACHINES, PROCESSORS, Traced, emulator, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEVELS = ("seed", "warn", "strict", "portable")
TYPES = ("float32", "float64")

FRAMEWORKS = {
    "numpy": ("numpy",),
    "torch": ("torch",),
    "jax": ("jax",),
    "keras": ("keras", "tensorflow-cpu"),
    "mxnet": ("mxnet",),
}
"""Names of the programs (train_NAME.py) and the distributions whose versions a row names."""

FAILED = "a run failed"

AGAIN = "again"
COLUMNS = (AGAIN, *MACHINES)
HEADINGS = ("same machine", "one core", *PROCESSORS)


class Runs:
    """Runs of the models, each done once.

    Args:
        folder: gets their traces.
        run: what runs a program on a machine; takes what `traced` takes.
    """

    def __init__(self, folder: Path, run: Callable[..., Traced] = traced) -> None:
        self._folder = folder
        self._run = run
        self._made: Counter[str] = Counter()
        self.native = cache(self._native)

    def _native(self, framework: str, element_type: str, level: str, mode: str) -> Traced:
        return self.on("native", framework, element_type, level, mode)

    def on(
        self, machine: str, framework: str, element_type: str, level: str, mode: str = "step"
    ) -> Traced:
        """Train a framework's model on a machine; `again` is this one."""
        name = f"{framework} {element_type} {level} {mode} {machine}"
        self._made[name] += 1
        began = time.monotonic()
        made = self._run(
            "native" if machine == AGAIN else machine,
            self._folder / f"{name} {self._made[name]}",
            f"train_{framework}.py",
            element_type,
            REPRO_LEVEL=level,
            REPRO_TRACE=mode,
        )
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return made


def seen(
    runs: Runs, machine: str, framework: str, element_type: str, level: str, operations: bool
) -> str:
    """Return where a model's run on a machine parts from the native one; empty for nowhere.

    Args:
        runs: does them.
        machine: one of `COLUMNS`.
        framework: one of `FRAMEWORKS`.
        element_type: of weights and data.
        level: of REPRO_LEVEL.
        operations: where they part, run both again with REPRO_TRACE=op to find the operation.
    """
    given = framework, element_type, level
    try:
        parted = compared(runs.native(*given, "step"), runs.on(machine, *given))
        if parted is None:
            return ""
        said = f"`{parted.op}`"
        if operations:
            closer = compared(runs.native(*given, "op"), runs.on(machine, *given, "op"))
            said = f"{said}, none of its operations alone" if closer is None else f"`{closer.op}`"
    except (AssertionError, SeedlockError, subprocess.TimeoutExpired) as problem:
        print(problem, file=sys.stderr, flush=True)
        return FAILED
    return said


def compared(one: Traced, other: Traced) -> Divergence | None:
    """Return the first event in which two runs differ.

    Raises:
        AssertionError: nothing was traced, a trace is cut, or traces are equal and output is not.
    """
    first, second = Run(one.folder), Run(other.folder)
    assert first.events and first.troubles() == second.troubles() == [], "a trace is not whole"
    parted = first_divergence(first, second)
    assert parted or one.out == other.out, f"equal traces, but {one.out!r} and {other.out!r}"
    return parted


def cell(found: Mapping[str, str]) -> str:
    """Return the text of a cell.

    Args:
        found: for each type, where the runs part; empty for nowhere.
    """
    if not any(found.values()):
        return "equal"
    if len(found) > 1 and len({*found.values()}) == 1:
        return _verdict(*{*found.values()})
    return "; ".join(f"{name} {_verdict(place)}" for name, place in found.items()).replace(
        f" {FAILED}", f": {FAILED}"
    )


def _verdict(place: str) -> str:
    return place if place == FAILED else f"differs: {place}" if place else "equal"


def versions(framework: str) -> str:
    """Return the distributions of a framework with their versions."""
    return " on ".join(
        f"{name.removesuffix('-cpu')} {importlib.metadata.version(name).partition('+')[0]}"
        for name in FRAMEWORKS[framework]
    )


def main() -> int:
    """Run and print; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.portable.table")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--only", nargs="+", choices=FRAMEWORKS, default=tuple(FRAMEWORKS))
    parser.add_argument("--types", nargs="+", choices=TYPES, default=TYPES[:1])
    parser.add_argument("--machines", nargs="+", choices=COLUMNS, default=COLUMNS)
    parser.add_argument(
        "--operations", action="store_true", help="name the first operation that differs as well"
    )
    options = parser.parse_args()
    if set(options.machines) & set(PROCESSORS):
        try:
            emulator()
        except LookupError as reason:
            print(reason, file=sys.stderr)
            return 1
    headings = dict(zip(COLUMNS, HEADINGS, strict=True))
    print("| framework | level |", *(f"{headings[each]} |" for each in options.machines))
    print("| --- " * (2 + len(options.machines)) + "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        for framework in options.only:
            for level in options.levels:
                print(f"| {versions(framework)} | {level} |", end="", flush=True)
                for machine in options.machines:
                    found = {
                        each: seen(runs, machine, framework, each, level, options.operations)
                        for each in options.types
                    }
                    print(f" {cell(found)} |", end="", flush=True)
                print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
