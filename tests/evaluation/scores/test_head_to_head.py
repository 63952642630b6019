"""Two submissions of a board."""

from __future__ import annotations

import json

import pytest

from seedlock.evaluation.scores.head_to_head import head_to_head
from tests.leaderboard.example_standings import VALUES, example


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_it_says_what_the_board_says(metric: str) -> None:
    """Of every pair, in both orders: better where the board tells them apart, else nobody."""
    standings = example()
    told = {tuple(each) for each in standings.content["comparisons"][metric]["told_apart"]}

    found = set()
    for one in VALUES:
        for other in VALUES:
            if one != other:
                pair = head_to_head(standings, metric, one, other)
                json.dumps(pair, allow_nan=False)
                if pair["better"] is not None:
                    found.add((pair["better"], other if pair["better"] == one else one))

    assert found == told
    assert len(told) > 20


def test_a_pair_that_somebody_picked_out_is_no_finding() -> None:
    """p is below 5 % for these two alone, and the board of ten does not tell them apart."""
    pair = head_to_head(example(), "accuracy", "wide-mlp", "late-start")
    assert pair["n"] == 3 and pair["primary"]["p"] < 0.05
    assert pair["better"] is None and not pair["decidable"]

    with pytest.raises(KeyError):
        head_to_head(example(), "speed", "wide-mlp", "conv-a")
