"""Values of options: what is a number, and what is not."""

from __future__ import annotations

import pytest

from seedlock.evaluation.option_values import seconds, whole


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("1", 1), ("4096", 4096), ("007", 7), ("0" * 5000 + "1", 1), ("0", None), ("4097", None),
        ("", None), ("-1", None), ("+1", None), ("1.0", None), (" 1", None), ("1_0", None),
        ("٣", None), ("²", None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_a_whole_number_is_of_plain_digits_and_in_range(given: str, found: int | None) -> None:
    """However many digits there are."""
    assert whole(given, 1, 4096) == found


def test_zero_may_be_allowed() -> None:
    """As of ports."""
    assert whole("0", 0, 65535) == whole("000", 0, 65535) == 0


@pytest.mark.parametrize(
    ("given", "found"), [("0.5", 0.5), ("1e3", 1000.0), ("0", None), ("inf", None), ("nan", None)]
)
def test_seconds_are_above_0(given: str, found: float | None) -> None:
    """And somewhere they end."""
    assert seconds(given) == found
