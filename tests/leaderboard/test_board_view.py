"""A board's rows: in order, filtered and paged, each with what is known of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.leaderboard.board_order import COLUMNS, Asked
from seedlock.leaderboard.board_view import BoardView, board
from seedlock.leaderboard.compare_view import comparison
from seedlock.leaderboard.links import ServerLinks
from seedlock.leaderboard.rendering import render
from seedlock.leaderboard.round_state import State
from seedlock.leaderboard.submission_view import submission

EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "example_standings.json").read_text()
)  # fmt: skip

STATE = State("evaluating", "Evaluating.", 48, 50, 10)


def shown(size: int = 50, standings: dict[str, Any] = EXAMPLE, **asked: Any) -> BoardView:
    """Return a page of the example's board."""
    found = board(standings, STATE, ServerLinks(), Asked(**asked), size)
    assert found is not None
    return found


def names(view: BoardView) -> list[str]:
    """Return the submissions of a page, from above."""
    return [row.name for row in view.rows]


def test_the_best_mean_comes_first_in_either_direction() -> None:
    """Of accuracy the highest, of loss the lowest."""
    assert names(shown())[0] == "wide-mlp"
    loss = shown(metric="loss")
    means = [float(row.mean) for row in loss.rows]
    assert means == sorted(means)


def test_all_submissions_are_there_failed_and_unfinished_ones_too() -> None:
    """Nothing is dropped, and each row says how many of its seeds it has."""
    rows = {row.name: row for row in shown().rows}

    assert len(rows) == 10
    assert (rows["crash-prone"].ok, rows["crash-prone"].failed) == (3, 2)
    assert rows["crash-prone"].half == ""
    assert rows["crash-prone"].notes == ("with failed seeds at the worst value: no interval",)
    assert (rows["late-start"].ok, rows["late-start"].waiting) == (3, 2)
    assert (rows["all-failed"].ok, rows["all-failed"].mean) == (0, "0.8")


def test_seeds_that_the_machine_lost_are_told() -> None:
    """They neither failed nor wait; without them the row would not add up."""
    changed = json.loads(json.dumps(EXAMPLE))
    entry = next(each for each in changed["submissions"] if each["name"] == "late-start")
    entry["waiting"], entry["infrastructure"] = 0, 2
    state = State("revealed", "Revealed.", 50, 50, 10)
    view = board(changed, state, ServerLinks(), Asked())
    alone = submission(changed, "late-start", state, ServerLinks(), {}, False)
    both = comparison(changed, "late-start", "conv-a", state, ServerLinks())

    assert view is not None and alone is not None
    assert "2 lost to the machine" in render("board.html", view, ServerLinks())
    assert "2 lost to the machine" in render("submission.html", alone, ServerLinks())
    assert any("late-start lost 2 seeds" in each for each in both.metrics[0].cautions)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("order", ["up", "down"])
def test_each_column_sorts_and_leads_to_its_reverse(column: str, order: str) -> None:
    """Any order has all rows, and the link above the column turns it round."""
    view = shown(sort=column, order=order)
    address, now = view.sorts[column]

    assert sorted(names(view)) == sorted(names(shown()))
    assert now == order
    assert address is not None and ("order=down" in address) == (order == "up")


def test_what_has_no_number_comes_last_in_either_order() -> None:
    """A submission without a value is below all others, whichever way they are sorted."""
    standings = copy.deepcopy(EXAMPLE)
    score = standings["submissions"][0]["scores"]["accuracy"]
    score.update(dict.fromkeys(("mean", "sd", "low", "high", "median", "rank", "group")), n=0)

    for order in ("up", "down"):
        assert names(shown(standings=standings, sort="mean", order=order))[-1] == "wide-mlp"


def test_a_filter_is_a_part_of_a_name_in_any_case() -> None:
    """The filter matches letters and nothing else: no pattern, no SQL."""
    assert names(shown(matching="CONV")) == ["conv-a", "conv-b"]
    assert shown(matching="CONV").total == 10
    for none in (".*", "%", "' OR 1=1 --", "_"):
        assert names(shown(matching=none)) == []


def test_pages_hold_each_row_once() -> None:
    """All pages together are the board; beyond the last there is none."""
    together = [name for page in (1, 2, 3, 4) for name in names(shown(size=3, page=page))]

    assert together == names(shown())
    assert shown(size=3).pages == 4
    assert board(EXAMPLE, STATE, ServerLinks(), Asked(page=5), 3) is None


def test_links_keep_metric_order_and_filter_from_page_to_page() -> None:
    """Who goes to the next page stays with what was asked for."""
    view = shown(size=3, metric="loss", sort="name", order="down", matching="a", page=2)

    for number, address in view.pagers:
        assert address is not None
        for part in ("metric=loss", "sort=name", "order=down", "filter=a"):
            assert part in address
        assert ("page=" in address) == (number != 1)


def test_a_metric_that_is_not_there_has_no_board() -> None:
    """An unknown metric is None, which becomes a page that is not there."""
    assert board(EXAMPLE, STATE, ServerLinks(), Asked(metric="none")) is None


def test_groups_are_drawn_apart_only_where_they_follow_each_other() -> None:
    """A line between groups is drawn where each group is in one piece."""
    assert not shown().grouped
    by_group = copy.deepcopy(EXAMPLE)
    for place, name in enumerate(names(shown())):
        entry = next(each for each in by_group["submissions"] if each["name"] == name)
        entry["scores"]["accuracy"]["group"] = 1 + place // 4

    view = shown(standings=by_group)
    assert view.grouped and view.chart is not None and 'class="between"' in view.chart.wide


def test_one_machine_is_said_once() -> None:
    """Where all runs had one machine it is said of the board, else of each row."""
    one = copy.deepcopy(EXAMPLE)
    for each in one["submissions"]:
        each["hardware"] = each["hardware"] and "EPYC"

    assert shown(standings=one).hardware == "EPYC"
    assert shown().hardware == ""
