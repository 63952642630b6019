"""Holm, rank intervals and tie groups."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from seedlock.evaluation.scores.pairwise import all_pairs, welch
from seedlock.evaluation.scores.ranking import Ranking, groups, holm, rank


def ranked(values: Any, paired: bool = False) -> Ranking:
    """Return where the rows stand."""
    pairs = all_pairs(values, paired)
    return rank(values.mean(axis=1), pairs.difference, pairs.p, pairs.n >= 4)


def at_most(share: float, count: int) -> float:
    """Return a share with two standard errors of a simulation of so many."""
    return share + 2 * float(numpy.sqrt(share * (1 - share) / count))


def test_holm() -> None:
    """By hand: the smallest times four, the next times three, never smaller than one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []
    with pytest.raises(ValueError, match="p value"):
        holm([0.5, float("nan")])


@pytest.mark.parametrize(("p", "apart"), [(0.05, True), (0.0501, False)])
def test_two_submissions_are_one_two_sided_test(p: float, apart: bool) -> None:
    """Both directions of one pair cost what the two-sided test costs."""
    values = numpy.array([[0.0, p], [p, 0.0]])
    found = rank([1.0, 0.0], numpy.array([[0, 1], [-1, 0]]), values, numpy.full((2, 2), True))

    assert found.better[0, 1] == apart
    assert not found.better[1, 0]
    assert found.first.tolist() == [1, 2 if apart else 1]
    assert found.last.tolist() == [1 if apart else 2, 2]
    assert found.group.tolist() == [1, 2 if apart else 1]
    assert found.threshold == (p if apart else 0.0)


def test_the_threshold_tells_all() -> None:
    """A pair is told apart where its p is no larger."""
    generator = numpy.random.default_rng(3)
    values = generator.normal(size=(20, 6)) + generator.normal(size=(20, 1)) * 4
    pairs = all_pairs(values)
    found = ranked(values)

    told = found.better | found.better.T
    assert 0 < told.sum() < 380
    assert (told == ((pairs.p <= found.threshold) & ~numpy.eye(20, dtype=bool))).all()


def test_what_so_few_seeds_cannot_decide_is_tied() -> None:
    """Three seeds, however far apart, and nothing is said."""
    values = numpy.array([[1.0, 1.1, 1.2], [9.0, 9.1, 9.2]])
    assert all_pairs(values).p[0, 1] < 1e-6

    found = ranked(values)

    assert not found.better.any()
    assert found.group.tolist() == [1, 1]


def test_a_planted_better_method_is_found() -> None:
    """Two standard deviations better than nine equal ones, with twenty seeds: in 95 of 100
    boards it is told apart from all; with four seeds in hardly any."""
    generator = numpy.random.default_rng(4)
    for seeds, least, most in ((20, 95, 100), (4, 0, 20)):
        boards = generator.normal(size=(100, 10, seeds))
        boards[:, 3] += 2
        alone = sum(ranked(board).last[3] == 1 for board in boards)

        assert least <= alone <= most


@pytest.mark.parametrize("kind", ["normal", "skewed", "failing"])
def test_a_method_is_not_told_apart_from_itself(kind: str) -> None:
    """At most 5 % of 100,000 pairs, though values are skewed or a fifth of the seeds fails and
    counts as a worst value."""
    generator = numpy.random.default_rng(5)
    for seeds in (4, 5, 10):
        both = generator.normal(size=(2, 100_000, seeds))
        if kind == "skewed":
            both = generator.exponential(size=both.shape)
        if kind == "failing":
            both[generator.random(both.shape) < 0.2] = -20
        p = welch(both[0], both[1])[1]

        assert 0.005 < (p <= 0.05).mean() <= 0.05


@pytest.mark.parametrize("paired", [False, True])
def test_a_board_of_equal_methods_has_one_group(paired: bool) -> None:
    """In 95 % of boards nobody is told from anybody, in none of 28 pairs: without Holm's method it
    would be in a third or more."""
    generator = numpy.random.default_rng(6)
    for seeds in (6, 10):
        boards = generator.normal(size=(300, 8, seeds))
        if paired:  # what all runs under one seed share
            boards += 3 * generator.normal(size=(300, 1, seeds))
        wrong = plain = 0
        for board in boards:
            pairs = all_pairs(board, paired)
            found = rank(board.mean(axis=1), pairs.difference, pairs.p, pairs.n >= 4)
            wrong += bool(found.better.any())
            plain += bool((pairs.p[numpy.triu_indices(8, 1)] <= 0.05).any())

        assert wrong / 300 <= at_most(0.05, 300)
        assert plain / 300 > 0.35


def test_rank_intervals_hold_together() -> None:
    """In at least 95 % of boards every true place is within its interval."""
    generator = numpy.random.default_rng(7)
    true = numpy.array([3.0, 3.0, 2.5, 1.0, 0.9, -2.0])
    lowest = 1 + (true[None, :] > true[:, None]).sum(axis=1)
    highest = len(true) - (true[None, :] < true[:, None]).sum(axis=1)
    held = narrow = 0
    for _ in range(400):
        found = ranked(generator.normal(size=(6, 5)) * 0.7 + true[:, None])
        held += bool(((found.first <= lowest) & (highest <= found.last)).all())
        narrow += int((found.last - found.first).sum() < 30)

    assert held >= 380
    assert narrow >= 380


def test_groups_go_by_their_best() -> None:
    """Being told apart is not transitive: b is tied with a and c, which differ."""
    better: Any = numpy.zeros((3, 3), dtype=bool)
    better[0, 2] = True

    assert groups(numpy.array([3.0, 2.0, 1.0]), better).tolist() == [1, 1, 2]
    assert groups(numpy.array([1.0, 3.0, 2.0]), better).tolist() == [1, 1, 1]
