"""Measure training loops at each level of REPRO_LEVEL against the same loops unlocked.

The loops, the pairs and the workers are those of training.py. All levels of one framework take
turns within one round, so that their ratios can be compared with each other. Level portable fixes
the number of threads, whatever the number of cores; --threads sets REPRO_THREADS.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks import pairs, training
    from benchmarks.pairs import Figure
    from benchmarks.training import Switch
else:
    import pairs
    import training
    from training import Switch

LEVELS = ("seed", "warn", "strict", "portable")


def main() -> int:
    """Measure and print; return the exit status."""
    parser = pairs.parser(__doc__, pairs=pairs.MIN_PAIRS)
    parser.add_argument(
        "--only", nargs="+", choices=training.FRAMEWORKS, default=training.FRAMEWORKS
    )
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--cores", type=int, default=0, metavar="N", help="as in training.py")
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="REPRO_THREADS (default: unset)"
    )
    options = parser.parse_args()
    figures: list[Figure] = []
    rows = []
    for name in options.only:
        switches = tuple(level(each, options.threads) for each in options.levels)
        found, _ = training.compare(name, switches, options.pairs, options.cores)
        figures += [each._replace(limit=None) for each in found]
        walls = " | ".join(f"{each.ratio.median:.2f}" for each in found[::2])
        processors = " | ".join(f"{each.ratio.median:.2f}" for each in found[1::2])
        rows += [f"| {name} | throughput | {walls} |"]
        rows += [f"| {name} | per processor second | {processors} |"]
    cores = options.cores or len(os.sched_getaffinity(0))
    notes = [
        "",
        "unlocked = 1",
        f"| framework | quantity | {' | '.join(options.levels)} |",
        "|---" * (2 + len(options.levels)) + "|",
        *rows,
        f"the loops had {cores} core{'s' if cores > 1 else ''}, "
        f"at level portable REPRO_THREADS was {options.threads or 'unset'}",
    ]
    pairs.finish(figures, options.pairs, options.json, notes, warm_up=0)
    return 0


def level(name: str, threads: int) -> Switch:
    """Return the switch that locks a loop at a level."""
    environment = {**pairs.locked_environment(), "REPRO_LEVEL": name}
    if name == "portable" and threads:
        environment["REPRO_THREADS"] = str(threads)
    return Switch(f"level {name}", environment)


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
