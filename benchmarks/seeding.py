"""Measure what a seeding call costs under REPRO_SEED, and that drawing costs nothing.

Plain processes and locked ones take turns; each times every call many times and reports the
fastest batch, which is what the call costs while nobody else is at work; a call that takes 0.1 ms
or more is timed by itself, 400 times, since in a batch of such somebody else always is. A row is
the median over the processes: microseconds per call plain and locked, what locked adds, and the
ratio pair by pair. Limits: a generator without a seed 1.3 times plain, a seeding call 20
microseconds more. "deep" rows make the call below 30 frames of a library's code, since the report's
call site is the author's line above them. Locked processes of the group "orders" write a report.
The exit status is 0 whatever the verdicts, 1 if something failed.
"""

from __future__ import annotations

import json
import statistics
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks import pairs
    from benchmarks.pairs import Failed, Figure, Sample
else:
    import pairs
    from pairs import Failed, Figure, Sample

MORE = 20.0
"""Microseconds that a seeding call may cost more."""

UNSEEDED_LIMIT = 1.3
DRAW_LIMIT = 1.05
DEEP = 30


class Call(NamedTuple):
    """One call under measurement.

    Attributes:
        code: expression that is timed.
        kind: `seed` for the limit in microseconds, `unseeded` and `draw` for a ratio each; empty
            for information.
        deep: whether it is made below frames of a library.
    """

    code: str
    kind: str = "seed"
    deep: bool = False


LIBRARIES: dict[str, tuple[str, tuple[Call, ...]]] = {
    "python": (
        "import random",
        (
            Call("random.seed(0)"),
            Call("random.seed(0)", deep=True),
            Call("random.seed('text')"),
            Call("random.Random(0)"),
            Call("random.Random()", "unseeded"),
            Call("random.random()", "draw"),
        ),
    ),
    "numpy": (
        "import numpy as np; rng = np.random.default_rng(0); sequence = np.random.SeedSequence(0)",
        (
            Call("np.random.default_rng()", "unseeded"),
            Call("np.random.default_rng()", "unseeded", deep=True),
            Call("np.random.SeedSequence()", ""),
            Call("np.random.default_rng(0)"),
            Call("np.random.default_rng(0)", deep=True),
            Call("np.random.default_rng([0, 1, 2])"),
            Call("np.random.RandomState(0)"),
            Call("np.random.seed(0)"),
            Call("np.random.seed(0)", deep=True),
            Call("np.random.seed([0, 1, 2])"),
            Call("sequence.spawn(1)"),
            Call("rng.random()", "draw"),
            Call("np.random.rand()", "draw"),
        ),
    ),
    "torch": (
        "import torch; generator = torch.Generator()",
        (
            Call("torch.manual_seed(0)"),
            Call("generator.manual_seed(0)"),
            Call("torch.Generator()", ""),
            Call("torch.rand(1)", "draw"),
        ),
    ),
    "tensorflow": (
        # With a seed of the program's, plain too: TensorFlow then makes a kernel for each draw.
        "import tensorflow as tf; tf.random.set_seed(0)",
        (Call("tf.random.set_seed(0)"), Call("tf.random.uniform((1,))", "draw")),
    ),
    "keras": (
        "import keras",
        (
            Call("keras.utils.set_random_seed(0)"),
            Call("keras.random.SeedGenerator(0)"),
            Call("keras.random.SeedGenerator()", ""),
        ),
    ),
    "mxnet": (
        "import mxnet as mx",
        (Call("mx.random.seed(0)"), Call("mx.nd.random.uniform()", "draw")),
    ),
    "jax": (
        "import jax; key = jax.random.key(0)",
        (Call("jax.random.key(0)"), Call("jax.random.uniform(key)", "draw")),
    ),
}

SYSTEM = (
    "import os, uuid",
    (Call("os.urandom(16)", ""), Call("uuid.uuid4()", ""), Call("os.listdir('/')", "")),
)

ORDERS = (
    "names = {'a', 'b', 'c'}\n"
    "exec(compile('def gone_through(): return list(names)', 'author.py', 'exec'))\n"
    "exec(compile('def hashed(): return hash(\"a\")', 'author.py', 'exec'))",
    (
        Call("gone_through()", ""),
        Call("hashed()", ""),
        Call("list(names)", ""),
        Call("hash('a')", ""),
    ),
)
"""The author's and a library's. They are counted where a report is written."""

OTHERS = {"system": SYSTEM, "orders": ORDERS}

TIMER = """
import json, sys, time
{setup}

def in_library(code):
    exec(compile(code, json.__file__, "exec"), globals())

in_library("def down(depth, call): return call() if depth == 0 else down(depth - 1, call)")

def fastest(call):
    started = time.perf_counter()
    call()
    call()
    call()
    once = max((time.perf_counter() - started) / 3, 1e-8)
    number, batches = max(3, min(2000, int(0.004 / once))), 12
    if once > 1e-4:
        number, batches = 1, 400
    best = float("inf")
    for _ in range(batches):
        started = time.perf_counter()
        for _ in range(number):
            call()
        best = min(best, (time.perf_counter() - started) / number)
    return best * 1e6

found = {{}}
{calls}
print(json.dumps(found))
"""


def main() -> int:
    """Measure and print; return the exit status."""
    parser = pairs.parser(__doc__, pairs=30)
    parser.add_argument(
        "--only", choices=(*LIBRARIES, *OTHERS), nargs="+", help="measure these libraries only"
    )
    options = parser.parse_args()
    wanted = options.only or [*LIBRARIES, *OTHERS]
    figures: list[Figure] = []
    notes: list[str] = []
    missing: list[str] = []
    for library, (setup, calls) in {**LIBRARIES, **OTHERS}.items():
        if library not in wanted:
            continue
        if not importable(setup):
            missing.append(library)
            continue
        times = measure(library, setup, calls, options.pairs)
        for call in calls:
            row, note = compare(call, times)
            figures.append(row)
            notes += note
    if not figures:
        raise Failed(f"not installed: {', '.join(missing)}")
    notes += [f"not installed: {', '.join(missing)}"] if missing else []
    pairs.finish(figures, options.pairs, options.json, notes)
    return 0


def importable(setup: str) -> bool:
    """Tell whether a library's setup runs."""
    try:
        pairs.launch([sys.executable, "-c", setup], pairs.free_environment())
    except Failed:
        return False
    return True


def name_of(call: Call) -> str:
    """Return a call's name in the table."""
    return f"{call.code}, deep" if call.deep else call.code


def program(setup: str, calls: tuple[Call, ...]) -> str:
    """Return the program that times the calls of one library."""
    lines = []
    for call in calls:
        if call.deep:
            # What is called at the bottom is the library's code too, else it were the author.
            lines.append(f"in_library({f'def bottom(): return {call.code}'!r})")
        made = f"down({DEEP}, bottom)" if call.deep else call.code
        lines.append(f"found[{name_of(call)!r}] = fastest(lambda: {made})")
    return TIMER.format(setup=setup, calls="\n".join(lines))


def measure(
    library: str, setup: str, calls: tuple[Call, ...], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Return microseconds per call of each process: plain and locked, by the calls' names."""
    code = program(setup, calls)
    locked = pairs.locked_environment()

    def once(environment: dict[str, str]) -> Sample:
        sample: Sample = json.loads(
            pairs.launch([sys.executable, "-c", code], environment).output.splitlines()[-1]
        )
        return sample

    with TemporaryDirectory() as folder:
        if calls is ORDERS[1]:
            locked["REPRO_REPORT"] = folder
        return pairs.interleave(
            {
                "plain": lambda: once(pairs.free_environment()),
                "locked": lambda: once(locked),
            },
            rounds,
            library,
        )


def compare(call: Call, times: dict[str, dict[str, list[float]]]) -> tuple[Figure, list[str]]:
    """Return a call's row, and the line that says what it costs more."""
    name = name_of(call)
    plain, locked = times["plain"][name], times["locked"][name]
    limit = {"unseeded": UNSEEDED_LIMIT, "draw": DRAW_LIMIT}.get(call.kind)
    row = pairs.figure(name, plain, locked, limit, scale=1.0, unit="µs")
    if call.kind == "draw":
        return row, []
    more = sorted(after - before for before, after in zip(plain, locked, strict=True))
    middle = statistics.median(more)
    verdict = ""
    if call.kind == "seed":
        verdict = f"  limit {MORE:.0f} µs: {'within' if middle <= MORE else 'above'}"
    return row, [f"{name:<40} {middle:+8.2f} µs  ({more[0]:+.2f} to {more[-1]:+.2f}){verdict}"]


if __name__ == "__main__":
    sys.exit(pairs.guarded(main))
