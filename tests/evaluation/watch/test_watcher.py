"""A log against an expectation: the verdicts, where it left, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy
import pytest

from seedlock.evaluation.watch.expectation import Expectation, Width, expectation
from seedlock.evaluation.watch.log_lines import BadLog, Line
from seedlock.evaluation.watch.watch_page import page
from seedlock.evaluation.watch.watch_text import alarm_lines, picture, text
from seedlock.evaluation.watch.watcher import (
    CHANGED,
    INSIDE,
    LEFT,
    UNDECIDED,
    Watcher,
    autocorrelation,
)

VALUES = [0.93, 0.94, 0.935, 0.925, 0.931]


def expected(direction: str = "max") -> Expectation:
    """Return what five seeds let one expect: 0.9322, from 0.9155 to 0.9489."""
    return expectation("accuracy", direction, VALUES, Width(), list("12345"))


def noisy(count: int, level: float, seed: int = 3, spread: float = 0.01) -> list[float]:
    """Return values around a level."""
    drawn = numpy.random.default_rng(seed).normal(level, spread, size=count)
    return [float(each) for each in drawn]


def watched(values: Iterable[float | None], **options: object) -> Watcher:
    """Return a watcher that has seen values, the first on line 1 of day 1."""
    watcher = Watcher(expected(), **options)  # type: ignore[arg-type]
    for number, value in enumerate(values, 1):
        problem = "says NaN" if value is None else None
        watcher.add(Line(number, f"day {number}", value, problem))
    return watcher


def test_inside() -> None:
    """A log at the expected level; its numbers are those of its values."""
    values = noisy(100, 0.932)
    watcher = watched(values)
    result = watcher.result()

    assert (result["verdict"], result["exit_status"]) == (INSIDE, 0)
    assert result["log"]["mean"] == pytest.approx(numpy.mean(values))
    assert result["log"]["sd"] == pytest.approx(numpy.std(values, ddof=1))
    assert result["level"]["alarm"] is None and result["change"]["alarm"] is None
    assert text(watcher).startswith("INSIDE: ")
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_a_planted_drop_is_found_with_its_first_line(
    bounds: tuple[float, float] | None,
) -> None:
    """From line 81 on, by four deviations: certain some lines later, and dated right."""
    watcher = watched([*noisy(80, 0.932), *noisy(60, 0.892, 4)], bounds=bounds)
    result = watcher.result()

    assert result["verdict"] == LEFT
    alarm = result["change"]["alarm"]
    assert 81 < alarm["line"] <= 100 and alarm["time"] == f"day {alarm['line']}"
    assert abs(alarm["since_line"] - 81) <= 2 and alarm["side"] == "below"
    assert alarm["before"] == pytest.approx(0.932, abs=0.005)
    assert alarm["after"] == pytest.approx(0.892, abs=0.01)
    assert "below (worse)" in alarm_lines(watcher, "change", result)[0]


def test_a_log_that_was_never_inside_has_left_without_a_change() -> None:
    """The level says so, from the first line on."""
    result = watched(noisy(80, 0.88)).result()

    assert result["verdict"] == LEFT and result["change"]["alarm"] is None
    assert result["level"]["alarm"]["since_line"] <= 5
    assert result["level"]["alarm"]["line"] <= 60


def test_a_change_to_another_expected_level_is_no_leaving() -> None:
    """From the upper to the lower end of the interval."""
    result = watched([*noisy(100, 0.945, 3, 0.003), *noisy(60, 0.92, 4, 0.003)]).result()

    assert (result["verdict"], result["exit_status"]) == (CHANGED, 3)
    assert result["level"]["alarm"] is None


def test_what_can_not_be_said_yet_is_not_said() -> None:
    """Few values, and few lines far outside."""
    assert watched(noisy(9, 0.932)).verdict == UNDECIDED
    assert watched(noisy(12, 0.90)).verdict == UNDECIDED
    assert watched([]).verdict == UNDECIDED


def test_once_left_it_has_left() -> None:
    """A log that comes back later was outside."""
    watcher = watched([*noisy(60, 0.932), *noisy(60, 0.85, 4), *noisy(300, 0.932, 5)])

    assert watcher.verdict == LEFT


def test_missing_values_are_named_and_do_not_count() -> None:
    """The first five by their lines, all by their number."""
    values: list[float | None] = [*noisy(20, 0.932)]
    for place in (2, 5, 6, 7, 8, 9):
        values[place] = None
    watcher = watched(values)
    result = watcher.result()

    assert (result["log"]["values"], result["log"]["without_value"]) == (14, 6)
    assert [each["line"] for each in result["log"]["problems"]] == [3, 6, 7, 8, 9]
    assert "6 of 20 lines have no value" in text(watcher)


def test_a_value_outside_the_range_is_refused_with_its_line() -> None:
    """Since no bound on false alarms holds for it."""
    with pytest.raises(BadLog, match=r"line 2 has 1\.5, outside the range 0 to 1"):
        watched([0.9, 1.5], bounds=(0.0, 1.0))


def test_means_of_several_count_as_one() -> None:
    """What is left over at the end is said, and no value is lost before."""
    result = watched([1.0, 3.0, 5.0, 7.0, 100.0], every=2).result()

    assert (result["log"]["values"], result["log"]["mean"]) == (2, 4.0)
    assert result["log"]["left_over"] == 1


def test_which_side_is_worse() -> None:
    """By the direction of the metric; of an unknown one nobody says."""
    for direction, worse in (("max", "below (worse)"), ("min", "below (better)"), (None, "below:")):
        known = expectation("accuracy", direction, VALUES, Width())
        watcher = Watcher(known)
        for number, value in enumerate(noisy(80, 0.85), 1):
            watcher.add(Line(number, None, value))

        assert worse in alarm_lines(watcher, "level", watcher.result())[0]


def test_lines_that_go_together_are_said_to() -> None:
    """And a change alone does not look like that."""
    waves = [0.932 + 0.01 * numpy.sin(number / 5) for number in range(100)]
    jump = [*noisy(100, 0.932), *noisy(50, 0.85, 4)]

    assert any("go together" in each for each in watched(waves).notes())
    assert not any("go together" in each for each in watched(jump).notes())
    assert autocorrelation([1.0] * 50) is None and autocorrelation(noisy(5, 1.0)) is None


def test_a_picture_marks_what_is_outside() -> None:
    """One column per value while there is room, then of neighbours' means."""
    line, marks = picture(watched([0.932] * 3 + [0.5]), blocks=False)
    many, _ = picture(watched([0.932] * 1000))

    assert line.split()[0] == "8881" and marks.split()[0] == "...!"
    assert len(many.split()[0]) == 60


def test_the_page_loads_nothing_and_shows_text_as_text() -> None:
    """Times of a log are anybody's text."""
    watcher = Watcher(expected())
    for number, value in enumerate([*noisy(60, 0.932), *noisy(60, 0.85, 4)], 1):
        watcher.add(Line(number, "<script>alert(1)</script>", value))

    html = page(watcher)

    assert "<script" not in html and "&lt;script&gt;" in html
    assert "src=" not in html and "href=" not in html
    assert "<polyline" in html and 'class="mark"' in html and "LEFT" in html
    assert "<polyline" not in page(Watcher(expected()))


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324])
def test_numbers_as_large_as_they_come(value: float) -> None:
    """Text, page and JSON are made of them."""
    watcher = watched([value] * 12 + [-value] * 12)

    assert text(watcher) and page(watcher)
    json.dumps(watcher.result(), allow_nan=False)
