"""Metrics of a run: what was declared, what the program wrote, and what is wrong with it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadMetric
from seedlock.metrics import FILE as LOGGED
from seedlock.metrics import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WRITTEN = "metrics.json"
"""What a program may write that imports nothing: an object of names and numbers."""

DIRECTIONS = ("max", "min")
"""Which value is the better one."""

LARGEST = 64 << 20
"""Bytes of a file of metrics that is read at all."""

ALLOWED = "NAME:max or NAME:min, and :UNIT if it has one"


@dataclass(frozen=True)
class Metric:
    """A metric that counts.

    Attributes:
        name: as the program logs it.
        direction: one of `DIRECTIONS`.
        unit: for people; empty without one.
    """

    name: str
    direction: str
    unit: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it, JSON-ready."""
        return {"name": self.name, "direction": self.direction, "unit": self.unit}


@dataclass
class Metrics:
    """What a run's output folder holds of metrics.

    Attributes:
        declared: those that count.
        final: the final value of each name, a number.
        series: pairs of step and value of each name that came with steps, in the order of steps.
        problems: why the run's metrics are not what was declared, one line each.
    """

    declared: list[Metric]
    final: dict[str, float] = field(default_factory=dict)
    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it, JSON-ready; what is not finite as text."""
        return {
            "declared": [each.as_dict() for each in self.declared],
            "final": {name: _plain(value) for name, value in self.final.items()},
            "series": {
                name: [[step, _plain(value)] for step, value in points]
                for name, points in self.series.items()
            },
        }


def declared(given: Iterable[str]) -> list[Metric]:
    """Return the metrics that `NAME:DIRECTION[:UNIT]` name.

    Raises:
        BadMetric: one is not that, or a name comes twice.
    """
    found: dict[str, Metric] = {}
    for text in given:
        name, _, rest = text.partition(":")
        direction, _, unit = rest.partition(":")
        fits = name.isprintable() and 0 < len(name) <= LONGEST_NAME and unit.isprintable()
        if direction not in DIRECTIONS or not fits:
            raise BadMetric(f"--metric is {text!r}; allowed: {ALLOWED}; say --metric accuracy:max")
        if name in found:
            raise BadMetric(f"--metric {name} is given twice; allowed: each name once; drop one")
        found[name] = Metric(name, direction, unit)
    return list(found.values())


def read(output: Path, wanted: list[Metric]) -> Metrics:
    """Read the metrics in a run's output folder.

    Nothing that a program wrote raises: it is a problem of the run.

    Args:
        output: the folder.
        wanted: the declared ones. Others are kept for whoever looks, and cause no problem but
            by breaking a file.
    """
    found = Metrics(wanted)
    whole: dict[str, list[float]] = {}
    points: dict[str, dict[int, list[float]]] = {}
    for name, value, step in _lines(output / LOGGED, found.problems):
        if step is None:
            whole.setdefault(name, []).append(value)
        else:
            points.setdefault(name, {}).setdefault(step, []).append(value)
    for name, value in _object(output / WRITTEN, found.problems):
        whole.setdefault(name, []).append(value)
    for name, at in points.items():
        found.series[name] = [(step, at[step][0]) for step in sorted(at)]
    counted = {each.name for each in wanted}
    for name in sorted({*whole, *points}):
        values = whole.get(name)
        found.final[name] = values[0] if values else found.series[name][-1][1]
        if name in counted:
            found.problems += _twice(name, values or [], points.get(name, {}))
            if not math.isfinite(found.final[name]):
                found.problems.append(f"metric {name} is {found.final[name]}; allowed: a number")
    for each in wanted:
        if each.name not in found.final:
            found.problems.append(
                f"metric {each.name} is missing; log it with seedlock.log_metric, or write "
                f"{WRITTEN} into $REPRO_OUTPUT"
            )
    return found


def _twice(name: str, values: list[float], points: dict[int, list[float]]) -> Iterable[str]:
    if len(values) > 1:
        yield f"metric {name} was written {len(values)} times; allowed: once, or with steps"
    steps = [step for step, each in points.items() if len(each) > 1]
    if steps:
        yield f"metric {name} was written twice for step {steps[0]}; allowed: once per step"


def _lines(path: Path, problems: list[str]) -> Iterable[tuple[str, float, int | None]]:
    text = _text(path, problems)
    if text and not text.endswith("\n"):
        problems.append(f"{path.name} ends in the middle of a line")
        text = text[: text.rfind("\n") + 1]
    for number, line in enumerate((text or "").splitlines(), 1):
        try:
            content = json.loads(line)
            name, value, step = content["name"], _number(content["value"]), content["step"]
            if not isinstance(name, str) or not _is_step(step):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            problems.append(f"{path.name}, line {number}, is not what log_metric writes")
            return
        yield name, value, step


def _object(path: Path, problems: list[str]) -> Iterable[tuple[str, float]]:
    text = _text(path, problems)
    if text is None:
        return
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
        if not isinstance(pairs, _Pairs):
            raise ValueError
        found = [(name, _number(value)) for name, value in pairs]
    except (ValueError, TypeError, RecursionError):
        problems.append(f"{path.name} is not an object of names and numbers")
        return
    yield from found


class _Pairs(list[Any]):
    """The pairs of a JSON object, a name that comes twice twice."""


def _text(path: Path, problems: list[str]) -> str | None:
    try:
        if path.is_symlink() or not path.is_file():
            if path.exists() or path.is_symlink():
                problems.append(f"{path.name} is no plain file")
            return None
        if path.stat().st_size > LARGEST:
            problems.append(f"{path.name} is larger than {LARGEST >> 20} MiB")
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        problems.append(f"{path.name} can't be read: {type(problem).__name__}")
        return None


def _is_step(step: object) -> bool:
    return step is None or (type(step) is int and step >= 0)


def _number(value: object) -> float:
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value.replace("Infinity", "inf"))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(value)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _plain(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
