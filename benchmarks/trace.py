"""Measure what a trace costs: whole runs of the examples, without one and with each mode.

Each round runs the program of a framework under one seed, with a report: without a trace, with
REPRO_TRACE=step, and in --op-pairs of the rounds with REPRO_TRACE=op for all steps, whose limit is
far away. Fresh processes, start and imports included, as an author sees them. The rows of a
framework are printed once it is measured, so that they are there if nobody waits for the rest.
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
    command.add_argument(
        "--op-pairs",
        type=int,
        default=5,
        metavar="N",
        help="rounds with mode op too (default: %(default)s)",
    )
    options = command.parse_args()
    if options.op_pairs < 1:
        command.error(f"--op-pairs {options.op_pairs}; allowed: an integer from 1")
    few = -(-options.pairs // min(options.op_pairs, options.pairs))
    width = max(len(label(name, "step", "cpu")) for name in options.only)
    if not options.json:
        pairs.begin(f"{options.pairs}, {-(-options.pairs // few)} with mode op")
        print(pairs.heading(width), flush=True)
    figures = []
    for name in options.only:
        program = str(EXAMPLES / f"train_{name}.py")
        values = pairs.interleave(
            {mode: partial(once, program, mode) for mode in ("", *LIMITS)},
            options.pairs,
            name,
            {"op": few},
        )
        found = []
        for mode, limit in LIMITS.items():
            for quantity, bound in (("wall", limit), ("cpu", None)):
                before = values[""][quantity][:: few if mode == "op" else 1]
                row = values[mode][quantity]
                found.append(pairs.figure(label(name, mode, quantity), before, row, bound))
        figures += found
        if not options.json:
            print("\n".join(pairs.rows(found, width)), flush=True)
    if options.json:
        pairs.finish(figures, options.pairs, as_json=True)
    else:
        print("medians in ms")
    return 0


def label(name: str, mode: str, quantity: str) -> str:
    """Return what a row is called."""
    return f"{name}: {mode}" + (", processor time" if quantity == "cpu" else "")


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
