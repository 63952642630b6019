"""How far a metric may be."""

from __future__ import annotations

import pytest

from seedlock.evaluation.replaying.tolerance import compare_metrics, tolerances


@pytest.mark.parametrize(
    ("given", "recorded", "now", "within"),
    [
        ("m=0.5", 1.0, 1.5, True),
        ("m=0.5", 1.0, 1.6, False),
        ("m=10%", -10.0, -11.0, True),
        ("m=10%", -10.0, -11.1, False),
        ("m=10%", 0.0, 0.1, False),
        ("m=0", 1.0, 1.0, True),
        ("m=1e308", 1.0, "Infinity", False),
        ("m=1", "NaN", "NaN", True),
        ("m=1", 1.0, None, False),
        ("m=1e308", 1, 10**400, False),
        ("a=b=1", 1.0, 2.0, False),
    ],
)
def test_within(given: str, recorded: object, now: object, within: bool) -> None:
    """A difference, or a share of the recorded value; what is not finite only equals itself."""
    allowed = tolerances([given])
    assert allowed is not None

    (found,) = compare_metrics({"m": recorded}, {"m": now}, allowed)

    assert found["within"] is within


@pytest.mark.parametrize("given", ["", "m", "m=", "=1", "m=-1", "m=nan", "m=inf", "m=1%%", "m=x"])
def test_what_is_no_tolerance(given: str) -> None:
    """Neither is one that comes twice."""
    assert tolerances([given]) is None
    assert tolerances(["m=1", "m=2"]) is None
