"""How far a metric of a replay may be from the recorded one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALLOWED = "METRIC=DIFFERENCE or METRIC=PERCENT%, numbers of 0 or more, each metric once"


@dataclass(frozen=True)
class Tolerance:
    """What is allowed for one metric.

    Attributes:
        value: a difference in the metric's unit, or a percentage of the recorded value.
        relative: whether it is a percentage.
    """

    value: float
    relative: bool

    def __str__(self) -> str:
        return f"{self.value:g}%" if self.relative else f"{self.value:g}"

    def allows(self, recorded: float, now: float) -> bool:
        """Tell whether `now` is near enough; what is not finite never is."""
        if not (math.isfinite(recorded) and math.isfinite(now)):
            return False
        most = self.value / 100 * abs(recorded) if self.relative else self.value
        return abs(now - recorded) <= most


def tolerances(given: Iterable[str]) -> dict[str, Tolerance] | None:
    """Return the tolerance of each metric that `METRIC=ABS` or `METRIC=REL%` names; None where
    one is not that, or a metric comes twice."""
    found: dict[str, Tolerance] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        relative = number.endswith("%")
        try:
            value = float(number.removesuffix("%"))
        except ValueError:
            return None
        if not name or name in found or not 0 <= value < math.inf:
            return None
        found[name] = Tolerance(value, relative)
    return found


def compare_metrics(
    recorded: Mapping[str, Any], now: Mapping[str, Any], allowed: Mapping[str, Tolerance]
) -> list[dict[str, Any]]:
    """Compare the final values of two runs' metrics.

    Args:
        recorded, now: numbers by name; what is not finite as text, and equal to itself.
        allowed: tolerances by name.

    Returns:
        One for each name: `name`, `recorded` and `now` (None where that run has none), `equal`,
        `within` (equal, or near enough), `tolerance` as text or None.
    """
    found = []
    for name in sorted({*recorded, *now}):
        one, other = recorded.get(name), now.get(name)
        equal = one == other
        tolerance = allowed.get(name)
        numbers = _number(one), _number(other)
        near = equal or (tolerance is not None and tolerance.allows(*numbers))
        found.append(
            {
                "name": name,
                "recorded": one,
                "now": other,
                "equal": equal,
                "within": near,
                "tolerance": None if tolerance is None else str(tolerance),
            }
        )
    return found


def _number(value: object) -> float:
    """Return a number of a JSON file; NaN for what is none, or none that can be compared."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return math.nan
