"""Metrics that a program logs: one line of JSON each in `metrics.jsonl` of REPRO_OUTPUT."""

from __future__ import annotations

import json
import math
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OUTPUT = "REPRO_OUTPUT"
"""Folder into which a run should write its results; whoever starts the run sets it."""

FILE = "metrics.jsonl"
LONGEST_NAME = 200


def log_metric(name: str, value: Any, step: int | None = None) -> None:
    """Log a metric's value; without REPRO_OUTPUT, check the arguments and write nothing.

    What is not finite is written as text (`NaN`, `Infinity`, `-Infinity`), which JSON's numbers
    can't hold: it makes the run's record say so. Lines of several processes do not mix
    (open(2), O_APPEND); a metric that two of them log counts as written twice.

    Args:
        name: up to 200 printable characters.
        value: a number, or what `float` takes: an array or tensor of one element.
        step: 0 or more, for a point of a series; None for the final value.

    Raises:
        TypeError, ValueError: an argument is not that.
        OSError: the file can't be written.
    """
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(
            f"log_metric: the name is {name!r}; allowed: 1 to {LONGEST_NAME} printable characters"
        )
    if isinstance(value, (str, bytes)):
        raise TypeError(f"log_metric: {name} is {value!r}; allowed: a number")
    item = getattr(value, "item", None)  # NumPy warns of float() of an array with a dimension
    number = float(item() if callable(item) else value)
    if step is not None:
        whole = int(step)
        if isinstance(step, bool) or whole != step or whole < 0:
            raise ValueError(f"log_metric: step is {step!r}; allowed: a whole number, 0 or more")
        step = whole
    folder = os.environ.get(OUTPUT)
    if not folder:
        return
    written: object = number if math.isfinite(number) else _named(number)
    line = json.dumps({"name": name, "value": written, "step": step}) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    descriptor = os.open(os.path.join(folder, FILE), flags, 0o666)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _named(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
