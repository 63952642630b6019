"""Numbers as people read them."""

from __future__ import annotations

import pytest

from seedlock.evaluation import number_text


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (0.913, 0.0080954, ("0.9130", "0.0081")),
        (0.8958123, 0.0996, ("0.90", "0.10")),
        (54.5, 7.452, ("54.5", "7.5")),
        (161587.2, 2106.9, ("161587", "2107")),
        (0.5, 0, ("0.5", "0")),
        (0.5, None, ("0.5", None)),
        (1.0, 3e-12, ("1.000000000000e+00", "3.0e-12")),
        (2.5e9, 1.5e8, ("2.50e+09", "1.5e+08")),
        (-0.34512, 0.0391, ("-0.345", "0.039")),
    ],
)
def test_a_number_has_the_digits_of_its_spread(
    value: float, half: float | None, shown: tuple[str, str | None]
) -> None:
    """The half-width has two significant digits, and the number ends at the same decimal."""
    assert number_text.with_spread(value, half) == shown


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 0.0])
@pytest.mark.parametrize("half", [1e308, 5e-324, 1.0, None])
def test_no_number_is_too_large_or_small(value: float, half: float | None) -> None:
    """Each pair of finite numbers is written, and read back as a number."""
    text, spread = number_text.with_spread(value, half)

    assert float(text) == pytest.approx(value, rel=0.5, abs=1e-5)
    assert spread is None or float(spread) > 0


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.004, "0.00 s"), (12.34, "12.3 s"), (59.96, "1 min 00 s"), (60, "1 min 00 s"),
     (3599.7, "1 h 00 min"), (5025, "1 h 24 min"), (86400, "1 d 00 h"), (200000, "2 d 08 h")],
)  # fmt: skip
def test_durations(seconds: float, shown: str) -> None:
    """A duration is written in two units."""
    assert number_text.duration(seconds) == shown


def test_sizes_and_ranges() -> None:
    """Bytes are written in the unit that divides them; a range of one number is that number."""
    assert number_text.size(8 << 30) == "8 GiB"
    assert number_text.size(1500) == "1500 bytes"
    assert (number_text.span(2, 2), number_text.span(2, 4)) == ("2", "2 to 4")
