"""Two submissions side by side: what is said of them, and what is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from seedlock.evaluation.scores.comparisons import compare
from seedlock.leaderboard.compare_view import CompareView, comparison, verdict
from seedlock.leaderboard.links import ServerLinks
from seedlock.leaderboard.round_state import State

EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "example_standings.json").read_text()
)  # fmt: skip

REVEALED = State("revealed", "Revealed.", 50, 50, 10)


def shown(first: str, second: str, standings: dict[str, Any] = EXAMPLE) -> CompareView:
    """Return the comparison of two submissions of the example."""
    return comparison(standings, first, second, REVEALED, ServerLinks())


def said(one: list[float], other: list[float], threshold: float = 0.05, pairs: int = 1) -> str:
    """Return the verdict on two lists of values of which larger ones are better."""
    return verdict(compare(one, other), ("one", "other"), "max", 0.05, threshold, pairs)


def test_three_seeds_decide_nothing() -> None:
    """With three seeds no exact test comes to 5 %, however far apart the values are."""
    assert said([0.9, 0.91, 0.92], [0.1, 0.11, 0.12]).startswith("Not decidable with 3 ")


def test_one_test_alone_is_no_difference() -> None:
    """A t-test that finds something where the permutation test does not is no finding."""
    one = [0.905, 0.905, 0.905, 0.891, 0.889]
    other = [0.896, 0.888, 0.889, 0.876, 0.886]
    found = compare(one, other)
    assert found.primary is not None and found.permutation is not None
    small = [found.primary.p <= 0.05, found.permutation.p <= 0.05]

    assert small == [True, False]
    assert said(one, other).startswith("Not told apart: the two tests do not agree")


def test_no_difference_is_not_equality() -> None:
    """Where no test finds anything, the page says that this shows no equality."""
    told = said([0.90, 0.91, 0.92, 0.93], [0.905, 0.915, 0.925, 0.91])

    assert told.startswith("Not told apart: with 4 common seeds neither test")
    assert "does not show that they are equal" in told


def test_a_pair_picked_out_of_many_goes_by_the_board() -> None:
    """What two tests find is not said where the board, corrected for its pairs, does not."""
    one, other = [0.90, 0.91, 0.92, 0.93, 0.94], [0.80, 0.82, 0.84, 0.81, 0.83]

    assert said(one, other).startswith("On these seeds one was better than other")
    assert said(one, other, threshold=1e-9, pairs=4950).startswith("Not told apart: the two would")


def test_the_better_one_is_named_in_either_order_and_direction() -> None:
    """Which stands first and whether higher is better changes the sign, not who is ahead."""
    high, low = [0.90, 0.91, 0.92, 0.93, 0.94], [0.80, 0.82, 0.84, 0.81, 0.83]

    assert said(low, high).startswith("On these seeds other was better than one")
    found = compare(low, high, "min")
    told = verdict(found, ("one", "other"), "min", 0.05, 0.05, 1)
    assert told.startswith("On these seeds one was better than other")


def test_a_better_mean_is_not_called_better_if_a_run_of_it_often_loses() -> None:
    """Better needs a probability of improvement of 0.75; else only the means are spoken of."""
    one = [0.5 + i / 100 for i in range(60)]
    other = [value - 0.14 for value in one]
    found = compare(one, other)
    assert found.improvement is not None and found.improvement.probability < 0.75

    told = said(one, other)

    assert told.startswith("one had the better mean") and "is not shown" in told
    assert "was better" not in told


@pytest.mark.parametrize("pair", [("wide-mlp", "constant"), ("constant", "wide-mlp")])
def test_a_clear_difference_is_said_with_its_numbers(pair: tuple[str, str]) -> None:
    """The example's best and worst are told apart, whichever is named first."""
    view = shown(*pair)
    accuracy = view.metrics[0]

    assert accuracy.shown
    assert accuracy.verdict.startswith("On these seeds wide-mlp was better than constant")
    assert accuracy.favoured == "wide-mlp" and accuracy.probability == "1.00"
    assert [name for name, _, _ in accuracy.tests]
    assert len(accuracy.values) == 5


def test_what_weakens_a_comparison_is_said() -> None:
    """Failed seeds, seeds to come, own words and doubts stand beside the verdict."""
    standings = copy.deepcopy(EXAMPLE)
    by_name = {each["name"]: each for each in standings["submissions"]}
    by_name["conv-a"]["verification"] = "self-reported"
    by_name["conv-b"]["verification"] = "marked"

    failed = " ".join(shown("crash-prone", "late-start", standings).metrics[0].cautions)
    words = " ".join(shown("conv-a", "conv-b", standings).metrics[0].cautions)

    assert "crash-prone failed under 2 seeds: the worst value of the round counts there" in failed
    assert "late-start was not run yet under 2 seeds" in failed
    assert "not complete" in failed
    assert "conv-a are its authors' own word" in words and "conv-b is marked" in words


def test_a_void_round_counts_for_nothing() -> None:
    """The first thing said of a void round's comparison is that it does not count."""
    void = State("void", "Void.", 50, 50, 10)
    view = comparison(EXAMPLE, "wide-mlp", "constant", void, ServerLinks())

    assert view.metrics[0].cautions[0] == "The round is void: no result of it counts."


@pytest.mark.parametrize("pair", [("wide-mlp", "nobody"), ("wide-mlp", "wide-mlp"), ("", "x")])
def test_names_that_can_not_be_compared_are_asked_for_again(pair: tuple[str, str]) -> None:
    """An unknown name, or one twice, gives no numbers and a sentence."""
    view = shown(*pair)

    assert view.metrics == () and view.problem.startswith("Choose two")
