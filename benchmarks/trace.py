"""Measure what a trace costs: whole runs of the examples, without one and with each mode.

Each round runs the program of each framework three times under one seed, with a report: without
a trace, with REPRO_TRACE=step, and with REPRO_TRACE=op for all steps. Fresh processes, start and
imports included, as an author sees them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks import pairs
    from benchmarks.pairs import Sample
else:
    import pairs

LIMITS = {"step": 1.05, "op": 4.0}
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FRAMEWORKS = ("numpy", "torch", "keras", "mxnet", "jax")


def main() -> int:
    """Measure and print the table; return the exit status."""
    command = pairs.parser(__doc__, pairs=30)
    command.add_argument(
        "--only",
        choices=FRAMEWORKS,
        nargs="+",
        default=FRAMEWORKS,
        help="frameworks (default: all)",
    )
    options = command.parse_args()
    figures = []
    for name in options.only:
        program = str(EXAMPLES / f"train_{name}.py")
        values = pairs.interleave(
            {mode: partial(once, program, mode) for mode in ("", *LIMITS)},
            options.pairs,
            name,
        )
        for mode, limit in LIMITS.items():
            for quantity, bound in (("wall", limit), ("cpu", None)):
                label = f"{name}: {mode}" + (", processor time" if quantity == "cpu" else "")
                row = pairs.figure(label, values[""][quantity], values[mode][quantity], bound)
                figures.append(row)
    pairs.finish(figures, options.pairs, options.json)
    return 0


def once(program: str, mode: str) -> Sample:
    """Run a program under a seed with a trace of a mode; return its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        environment = pairs.locked_environment() | {"REPRO_REPORT": folder}
        if mode:
            environment["REPRO_TRACE"] = mode
        done = pairs.launch([sys.executable, program], environment)
        if mode and not any(name.endswith(".trace.jsonl") for name in os.listdir(folder)):
            raise pairs.Failed(f"{program}: no trace was written")
    return {"wall": done.wall, "cpu": done.cpu}


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
