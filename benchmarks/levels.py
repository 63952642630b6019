"""Measure training loops at each level of REPRO_LEVEL against the same loops unlocked.

The loops, the pairs and the workers are those of training.py. All levels of one framework take
turns within one round, so that their ratios can be compared with each other. Level portable fixes
the number of threads, whatever the number of cores; --threads sets REPRO_THREADS. A row is printed
as soon as its framework is measured. A round of Keras takes about a minute, mostly five starts of
TensorFlow; --minutes ends in time with fewer rounds, and each row says how many it has.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help=f"end after about N minutes, with fewer rounds, but at least {training.FEWEST}",
    )
    options = parser.parse_args()
    switches = tuple(level(each, options.threads) for each in options.levels)
    figures: list[Figure] = []
    notes = [
        "",
        "unlocked = 1; in brackets the 95 % interval",
        f"| framework | rounds | quantity | {' | '.join(options.levels)} |",
        "|---" * (3 + len(options.levels)) + "|",
    ]
    tell(notes, options.json)
    fewest = options.pairs
    end = None if options.minutes is None else time.monotonic() + options.minutes * 60
    for number, name in enumerate(options.only):
        share = None
        if end is not None:
            share = max(0.0, end - time.monotonic()) / (len(options.only) - number)
        found = training.compare(name, switches, options.pairs, options.cores, share)
        fewest = min(fewest, found.rounds)
        figures += [each._replace(limit=None) for each in found.figures]
        rows = [
            f"| {name} | {found.rounds} | {quantity} | {' | '.join(map(price, each))} |"
            for quantity, each in (
                ("throughput", found.figures[::2]),
                ("per processor second", found.figures[1::2]),
            )
        ]
        tell(rows, options.json)
        notes += rows
    cores = options.cores or len(os.sched_getaffinity(0))
    notes.append(
        f"the loops had {cores} core{'s' if cores > 1 else ''}, "
        f"at level portable REPRO_THREADS was {options.threads or 'unset'}"
    )
    rest = notes if options.json else notes[-1:]
    pairs.finish(figures, fewest, options.json, rest, warm_up=0)
    return 0


def tell(lines: Sequence[str], as_json: bool) -> None:
    """Print lines at once, unless all that is printed is to be one JSON text."""
    if not as_json:
        print("\n".join(lines), flush=True)


def price(figure: Figure) -> str:
    """Return a figure as a cell of the table."""
    low, high = figure.ratio.interval
    return f"{figure.ratio.median:.2f} ({low:.2f} to {high:.2f})"


def level(name: str, threads: int) -> Switch:
    """Return the switch that locks a loop at a level."""
    environment = {**pairs.locked_environment(), "REPRO_LEVEL": name}
    if name == "portable" and threads:
        environment["REPRO_THREADS"] = str(threads)
    return Switch(f"level {name}", environment)


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
