"""Tests that ask for nothing but that the runs of two equal methods could change places.

Few seeds can be dealt out in few ways, so all of them are gone through: ten against ten in a
hundredth of a second, where scipy.stats.permutation_test takes two. It is the oracle of the tests,
and takes over where there are too many ways.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.scores import summaries

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = Any
"""A NumPy array; NumPy is not typed here (pyproject.toml)."""

EXACT = 200_000
"""The most ways that are all gone through: ten seeds against ten have 184,756, seventeen pairs
131,072 flips. Beyond it so many as RANDOM says are drawn."""

RANDOM = 9_999
"""Draws of a test that is not exact; the observed one is counted in, so that the p stays valid."""

GENERATOR = 20_261_122
"""Seed of the generator of these draws, which is the test's own: equal values have equal p."""

BATCH = 2_000_000
"""Values in the draws at once, which bounds the memory: 16 MB for each array of them."""

ROUNDING = 1e-12
"""Part of the sum of all distances by which two sums of floats may differ and be one."""


@dataclass(frozen=True)
class Result:
    """A test of no difference.

    Attributes:
        name: of the test.
        p: two-sided.
        statistic: t; None for permutations, and where nothing varies.
        freedom: degrees of freedom, or None.
        exact: whether all ways were gone through; None for tests by a distribution.
        smallest: the smallest p that it could have given, or None.
    """

    name: str
    p: float
    statistic: float | None = None
    freedom: float | None = None
    exact: bool | None = None
    smallest: float | None = None


def permutation(a: Sequence[float], b: Sequence[float], paired: bool = False) -> Result:
    """Return the two-sided permutation test of the difference of means.

    Args:
        a, b: finite values; as many of each if they are paired.
        paired: whether they belong together in their order; then signs of differences are flipped.
    """
    n, m = len(a), len(b)
    ways = 2**n if paired else math.comb(n + m, n)
    name = "sign flips" if paired else "permutation"
    largest = max(map(abs, [*a, *b])) or 1.0
    x, y = (numpy.array(each, dtype=float) / largest for each in (a, b))
    if ways > EXACT:
        return Result(name, _drawn(x, y, paired), None, None, False, 2 / (RANDOM + 1))
    if paired:
        apart = x - y
        sums, observed = _signs(n) @ apart, apart.sum()
    else:
        both = numpy.concatenate([x, y])
        apart = both - summaries.mean(both.tolist())
        # All values sum to zero now, so that the sum of one side says the difference of means.
        sums, observed = apart[_deals(n, m)].sum(axis=1), apart[:n].sum()
    slack = ROUNDING * numpy.abs(apart).sum() + 4 * numpy.finfo(float).eps * (n + m)
    extreme = int((numpy.abs(sums) >= abs(observed) - slack).sum())
    return Result(name, extreme / ways, None, None, True, min(1.0, 2 / ways))


@lru_cache(maxsize=4)
def _deals(n: int, m: int) -> Array:
    """Return all ways to choose n of n + m places, one per row."""
    chosen = itertools.chain.from_iterable(itertools.combinations(range(n + m), n))
    return numpy.fromiter(chosen, dtype=numpy.int8).reshape(-1, n)


@lru_cache(maxsize=4)
def _signs(n: int) -> Array:
    """Return all ways to give n numbers a sign, one per row."""
    bits = (numpy.arange(2**n)[:, None] >> numpy.arange(n)) & 1
    return (1 - 2 * bits).astype(numpy.int8)


def _drawn(x: Array, y: Array, paired: bool) -> float:
    from scipy import stats

    found = stats.permutation_test(
        (x, y), lambda one, other, axis: one.mean(axis=axis) - other.mean(axis=axis),
        permutation_type="samples" if paired else "independent", vectorized=True,
        n_resamples=RANDOM, batch=max(1, BATCH // (len(x) + len(y))),
        rng=numpy.random.default_rng(GENERATOR),
    )  # fmt: skip
    return float(found.pvalue)
