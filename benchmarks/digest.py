"""Measure how many bytes a second a digest takes in, against a copy of the same memory.

An array of --mebibytes is digested and copied in turn, by each algorithm that a trace may use:
XXH3 where the package xxhash is there, as in the organiser's half, else SHA-256. The limit, half
the speed of a copy, is XXH3's. Then all digests of the standard library side by side, on a
sixteenth of the array, which shows why it is SHA-256 (zlib's checksums are faster and no digests:
32 bits). Small arrays follow: what one digest costs, whatever its size.
"""

from __future__ import annotations

import hashlib
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks import pairs
    from benchmarks.pairs import Sample
else:
    import pairs

LIMIT = 0.5
STANDARD = ("sha1", "sha256", "sha512", "sha3_256", "md5", "blake2b", "blake2s")
SMALL = (64, 4096)
REPEATS = 2000


def main() -> int:
    """Measure and print the table; return the exit status."""
    command = pairs.parser(__doc__, pairs=30)
    command.add_argument("--mebibytes", type=int, default=256, metavar="N", help="(default: 256)")
    options = command.parse_args()
    import numpy as np

    from seedlock.digests import Digester

    size = options.mebibytes << 20
    data = np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8)
    target = np.empty_like(data)
    made = {name: Digester(name) for name in ("xxh3", "sha256")}
    variants: dict[str, Callable[[], Sample]] = {
        "copy": lambda: speed(lambda: np.copyto(target, data), size),
    }
    for name, digester in made.items():
        variants[name] = partial(speed, partial(digester.of, data), size)
    large = pairs.interleave(variants, options.pairs, f"{options.mebibytes} MiB")
    figures = [
        pairs.figure(
            f"{name}, {options.mebibytes} MiB, against a copy",
            large["copy"]["speed"],
            large[name]["speed"],
            LIMIT if name == "xxh3" else None,
            at_least=True,
            scale=1e-9,
            unit="GB/s",
        )
        for name in made
    ]
    part = data[: size // 16]
    room = np.empty_like(part)
    candidates: dict[str, Callable[[], Sample]] = {
        "copy": lambda: speed(lambda: np.copyto(room, part), part.size),
    }
    for name in STANDARD:
        work = partial(hashlib.new, name, part.data, usedforsecurity=False)
        candidates[name] = partial(speed, work, part.size)
    found = pairs.interleave(candidates, options.pairs, "standard library")
    for name in STANDARD:
        row = found["copy"]["speed"], found[name]["speed"]
        label = f"standard library's {name}, {options.mebibytes / 16:g} MiB"
        figures.append(pairs.figure(label, *row, scale=1e-9, unit="GB/s"))
    for count in SMALL:
        array = data[:count].view(np.float32)
        small = pairs.interleave(
            {name: partial(cost, partial(each.of, array)) for name, each in made.items()},
            options.pairs,
            f"{count} bytes",
        )
        row = small["sha256"]["time"], small["xxh3"]["time"]
        figures.append(
            pairs.figure(f"xxh3, {count} bytes, against sha256", *row, scale=1e6, unit="µs")
        )
    pairs.finish(figures, options.pairs, options.json)
    return 0


def speed(work: Callable[[], object], size: int) -> Sample:
    """Return bytes per second of one call."""
    started = time.perf_counter()
    work()
    return {"speed": size / (time.perf_counter() - started)}


def cost(work: Callable[[], object]) -> Sample:
    """Return seconds per call."""
    started = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return {"time": (time.perf_counter() - started) / REPEATS}


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
