"""What the benchmarks share: measure variants in turn, compare them pair by pair, print the table.

A shared machine is never quiet, so nothing here compares a time with a time of another day: the
variants take turns within one run, and a figure is the median of the ratios of each round.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import re
import signal
import statistics
import sys
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MIN_PAIRS = 30
WARM_UP = 2

SEED = "7"
"""REPRO_SEED of all locked variants."""

FRAMEWORKS = ("numpy", "torch", "tensorflow", "keras", "mxnet", "jax")
DISTRIBUTIONS = ("numpy", "torch", "tensorflow", "tensorflow-cpu", "keras", "mxnet", "jax")

Sample = dict[str, float]
"""What one measurement gives: quantity and value, times in seconds."""


class Launched(NamedTuple):
    """A process that has ended: wall and processor time in seconds, and what it printed."""

    wall: float
    cpu: float
    output: str


class Ratio(NamedTuple):
    """Median of the per-pair ratios, their quartiles, and the median's 95 % interval."""

    median: float
    quartiles: tuple[float, float]
    interval: tuple[float, float]


class Figure(NamedTuple):
    """One row of the table.

    Attributes:
        name: what is compared with what.
        before: median of the variant that is compared with, in `unit`.
        after: median of the variant under test.
        ratio: after to before.
        limit: largest ratio allowed, or smallest where `at_least`; None: for information.
        at_least: whether the limit is a lower one.
        unit: of the medians.
    """

    name: str
    before: float
    after: float
    ratio: Ratio
    limit: float | None = None
    at_least: bool = False
    unit: str = "ms"

    def verdict(self) -> str:
        """Return on which side of its limit the figure is, and whether noise leaves a doubt."""
        if self.limit is None:
            return ""
        good = self.ratio.median >= self.limit if self.at_least else self.ratio.median <= self.limit
        low, high = self.ratio.interval
        word = "within" if good else ("below" if self.at_least else "above")
        return word + (" (noise spans the limit)" if low <= self.limit < high else "")


class Failed(Exception):
    """A process under measurement did not do what it was started for."""


def parser(doc: str | None, pairs: int) -> argparse.ArgumentParser:
    """Return the command line that all benchmarks have: --pairs and --json.

    Args:
        doc: the script's docstring: first line the description, the rest after the options.
        pairs: default of --pairs.
    """
    head, _, rest = (doc or "").partition("\n")
    made = argparse.ArgumentParser(
        description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--pairs",
        type=_pairs,
        default=pairs,
        metavar="N",
        help=f"rounds of each comparison, at least {MIN_PAIRS} for a result (default: %(default)s)",
    )
    made.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return made


def _pairs(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: an integer from 1")
    if int(text) < MIN_PAIRS:
        print(f"{text} pairs: a trial of the script, not a result", file=sys.stderr)
    return int(text)


def interleave(
    variants: Mapping[str, Callable[[], Sample]],
    pairs: int,
    label: str,
    every: Mapping[str, int] | None = None,
) -> dict[str, dict[str, list[float]]]:
    """Measure the variants in turn, after a warm-up.

    Each round starts with another variant, since the second of two may find warmer caches.

    Args:
        variants: name and what measures it once.
        pairs: number of rounds.
        label: what the progress line says.
        every: variants that take part only in the first of so many rounds.

    Returns:
        Per variant and quantity the values of all its rounds, in their order.
    """
    every = every or {}
    values: dict[str, dict[str, list[float]]] = {name: {} for name in variants}
    for _ in range(WARM_UP):
        for measure in variants.values():
            measure()
    turns: dict[tuple[str, ...], int] = {}
    for number in range(pairs):
        progress(f"{label}: round {number + 1} of {pairs}", number + 1 == pairs)
        names = tuple(name for name in variants if number % every.get(name, 1) == 0)
        first = turns[names] = (turns.get(names, -1) + 1) % len(names)
        for name in names[first:] + names[:first]:
            for quantity, value in variants[name]().items():
                values[name].setdefault(quantity, []).append(value)
    return values


def ratio(before: Sequence[float], after: Sequence[float]) -> Ratio:
    """Return `after` to `before`, pair by pair."""
    each = sorted(b / a for a, b in zip(before, after, strict=True))
    if len(each) < 2:
        return Ratio(each[0], (each[0], each[0]), (each[0], each[0]))
    first, _, third = statistics.quantiles(each, n=4, method="inclusive")
    # The order statistics that hold the median with 95 % (binomial, normal approximation).
    low = max(0, math.floor((len(each) - 1.96 * math.sqrt(len(each))) / 2))
    return Ratio(statistics.median(each), (first, third), (each[low], each[-1 - low]))


def figure(
    name: str,
    before: Sequence[float],
    after: Sequence[float],
    limit: float | None = None,
    at_least: bool = False,
    scale: float = 1000.0,
    unit: str = "ms",
) -> Figure:
    """Return the row that compares two rows of values."""
    middle, measured = (statistics.median(values) * scale for values in (before, after))
    return Figure(name, middle, measured, ratio(before, after), limit, at_least, unit)


def launch(argv: Sequence[str], environment: Mapping[str, str]) -> Launched:
    """Run a process to its end.

    Raises:
        Failed: its exit status is not 0; the text holds the end of its stderr.
    """
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as errors, open(reading, "rb") as pipe:
        started = time.perf_counter()
        process = os.posix_spawnp(
            argv[0],
            list(argv),
            {**environment, "PYTHONSAFEPATH": "1"},  # -c imports nothing from where we stand
            file_actions=[
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, errors.fileno(), 2),
            ],
        )
        os.close(writing)
        output = pipe.read()
        _, status, usage = os.wait4(process, 0)
        wall = time.perf_counter() - started
        if status != 0:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            code = os.waitstatus_to_exitcode(status)
            raise Failed(f"{' '.join(argv)}: exit status {code}\n{tail}")
    return Launched(wall, usage.ru_utime + usage.ru_stime, output.decode())


def plain_environment() -> dict[str, str]:
    """Return our variables without those that steer an interpreter, seedlock or a framework."""
    steering = (
        "REPRO_", "_SEEDLOCK", "PYTHON", "OMP_", "MKL_", "TF_", "XLA_", "JAX_", "MXNET_", "TORCH",
        "CUBLAS_", "CUDA_", "NCCL_", "NVIDIA_", "KERAS_",
    )  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | {"TF_CPP_MIN_LOG_LEVEL": "2"}


def hash_seed() -> dict[str, str]:
    """Return PYTHONHASHSEED and the note beside it, as entrypoint.sh sets them."""
    from seedlock.hash_seed import hash_seed_variables
    from seedlock.settings import Settings

    return hash_seed_variables(Settings({"REPRO_SEED": SEED}))


def locked_environment() -> dict[str, str]:
    """Return the environment of a run under REPRO_SEED at level strict, as the image has it."""
    return plain_environment() | {"REPRO_SEED": SEED} | hash_seed()


def free_environment() -> dict[str, str]:
    """Return the same environment without the lock, but for PYTHONHASHSEED."""
    return plain_environment() | {"PYTHONHASHSEED": hash_seed()["PYTHONHASHSEED"]}


def facts() -> dict[str, object]:
    """Return machine, versions, date and load."""
    versions: dict[str, str] = {}
    for name in ("seedlock", *DISTRIBUTIONS):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return {
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "usable": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "versions": versions,
    }


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def header() -> str:
    """Return the lines above a table."""
    known = facts()
    versions = known["versions"]
    assert isinstance(versions, dict)
    fewer = "" if known["usable"] == known["cores"] else f", {known['usable']} of them usable"
    return "\n".join(
        (
            f"date      {known['date']}, load {known['load']}",
            f"machine   {known['cpu']}, {known['cores']} cores{fewer}",
            f"python    {known['python']}, {known['system']}",
            f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}",
        )
    )


def table(figures: Sequence[Figure]) -> str:
    """Return a row per figure: medians, ratio with 95 % interval and quartiles, limit, verdict."""
    width = max(len(each.name) for each in figures)
    units = sorted({each.unit for each in figures})
    return "\n".join([heading(width), *rows(figures, width), f"medians in {' or '.join(units)}"])


def heading(width: int) -> str:
    """Return the first line of a table whose longest name has `width` characters."""
    return (
        f"{'':<{width}}  {'against':>9} {'measured':>9}  {'ratio':>6}  {'95 % interval':<13}  "
        f"{'quartiles':<13}  {'limit':<7} verdict"
    )


def rows(figures: Sequence[Figure], width: int) -> list[str]:
    """Return the rows of a table, below `heading`."""
    lines = []
    for each in figures:
        interval, quartiles = (
            f"{low:.3f}..{high:.3f}" for low, high in (each.ratio.interval, each.ratio.quartiles)
        )
        limit = "" if each.limit is None else f"{'>=' if each.at_least else '<='} {each.limit}"
        lines.append(
            f"{each.name:<{width}}  {_short(each.before):>9} {_short(each.after):>9}  "
            f"{each.ratio.median:6.3f}  {interval:<13}  {quartiles:<13}  {limit:<7} "
            f"{each.verdict()}".rstrip()
        )
    return lines


def _short(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 10000 else f"{value:.0f}"


def finish(
    figures: Sequence[Figure],
    pairs: int,
    as_json: bool,
    notes: Sequence[str] = (),
    extra: Mapping[str, object] | None = None,
    warm_up: int = WARM_UP,
) -> None:
    """Print the result, as a table with notes or as JSON."""
    if as_json:
        rows = [
            each._asdict() | {"ratio": each.ratio._asdict(), "verdict": each.verdict()}
            for each in figures
        ]
        content = facts() | {"pairs": pairs, "figures": rows, "notes": list(notes)}
        print(json.dumps(content | dict(extra or {}), indent=1))
        return
    begin(f"{pairs}", warm_up)
    print(table(figures))
    for note in notes:
        print(note)


def begin(pairs: str, warm_up: int = WARM_UP) -> None:
    """Print what stands above a table: the machine, and how many pairs were measured."""
    before = f", after {warm_up} rounds of warm-up" if warm_up else ", each warm before it counts"
    print(f"{header()}\npairs     {pairs}, interleaved{before}\n", flush=True)


def progress(text: str, last: bool = False) -> None:
    """Show one line on stderr, in place where that is a terminal, else every 20 seconds."""
    global _shown
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last or time.monotonic() - _shown > 20:
        print(text, file=sys.stderr, flush=True)
        _shown = time.monotonic()


_shown = 0.0


def guarded(main: Callable[[], int]) -> int:
    """Return the exit status of a benchmark: 1 if something failed to run, 130 if interrupted."""
    # So that what was started is ended, and temporary folders go, on this signal too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return main()
    except Failed as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
