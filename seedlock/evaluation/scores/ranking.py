"""Who is told apart from whom, and between which places each one stands.

Each pair of submissions makes two statements: `a is better` and `b is better`. Holm's method over
all of them together ("A simple sequentially rejective multiple test procedure", Scandinavian
Journal of Statistics 6, 1979) makes a wrong one, in any pair and either direction, no more
probable than alpha, whatever the dependence between the tests. With two submissions it is the
two-sided test.

Then the rank intervals [first, last] of all submissions hold together with probability 1 - alpha:
where no statement is wrong, whoever was told better truly is, so the true place is no less than
first = 1 + (those told better) and no more than last = (all) - (those told worse). The same
reasoning is in Al Mohamad, van Zwet and Goeman's R package ICRanks. docs/scores.md#ranks has it at
length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy

from seedlock.evaluation.scores.decidability import ALPHA

Array = Any
"""A NumPy array; NumPy is not typed here (pyproject.toml)."""


@dataclass(frozen=True)
class Ranking:
    """Where submissions stand, all arrays in their order.

    Attributes:
        better: K x K; whether the row was told better than the column.
        first, last: places between which each stands, 1 the best.
        group: 1 for the best and whoever can't be told from it, 2 for the best of the rest ...
        threshold: the largest two-sided p that was told apart; 0.0 where none was.
    """

    better: Array
    first: Array
    last: Array
    group: Array
    threshold: float


def holm(p_values: Array) -> Array:
    """Return Holm's adjusted p values, in the order of the given ones.

    A hypothesis is rejected at a level where its adjusted value is no larger.
    """
    p = numpy.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a p value is none")
    order = numpy.argsort(p, kind="stable")
    weights = numpy.arange(len(p), 0, -1)
    stepped = numpy.minimum(numpy.maximum.accumulate(p[order] * weights), 1.0)
    adjusted = numpy.empty_like(stepped)
    adjusted[order] = stepped
    return adjusted


def rank(
    means: Array, differences: Array, p_values: Array, decidable: Array, alpha: float = ALPHA
) -> Ranking:  # fmt: skip
    """Return where submissions stand.

    Args:
        means: K numbers of which more is better.
        differences: K x K: mean of the row less mean of the column on their common seeds.
        p_values: K x K, symmetric: two-sided, of the comparison on these seeds.
        decidable: K x K: whether that many common seeds can show anything.
        alpha: how probable one wrong statement of all may be.
    """
    means = numpy.asarray(means, dtype=float)
    count = len(means)
    rows, columns = numpy.triu_indices(count, 1)
    p = numpy.where(decidable, p_values, 1.0)[rows, columns]
    # The statement against the observed direction has a p of a half or more: never rejected.
    adjusted = holm(numpy.concatenate([p / 2, 1 - p / 2]))[: len(p)]
    told = adjusted <= alpha
    better: Array = numpy.zeros((count, count), dtype=bool)
    better[rows[told], columns[told]] = (differences > 0)[rows[told], columns[told]]
    better[columns[told], rows[told]] = (differences < 0)[rows[told], columns[told]]
    return Ranking(
        better, 1 + better.sum(axis=0), count - better.sum(axis=1), groups(means, better),
        float(p[told].max(initial=0.0)),
    )  # fmt: skip


def groups(means: Array, better: Array) -> Array:
    """Return the tie group of each submission, from 1.

    Going down by means, whoever is in no group yet heads the next one, and all in none yet that
    were not told worse than the head join it. Members of a group may be told from each other, and
    groups may overlap in means where spreads or failed seeds differ.

    Args:
        means: of which more is better.
        better: as `Ranking` has it.
    """
    found: Array = numpy.zeros(len(means), dtype=int)
    number = 0
    for head in numpy.argsort(-means, kind="stable"):
        if not found[head]:
            number += 1
            found[(found == 0) & ~better[head] & ~better[:, head]] = number
    return found
