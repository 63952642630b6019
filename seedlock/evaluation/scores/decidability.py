"""Could this many seeds show a difference at all?

A permutation test of n values against n others can't come to a smaller two-sided p than two of all
(2n choose n) ways to deal them out: 0.10 for three. With fewer seeds than it takes to get below
5 % a verdict would rest on the form of a distribution of which three values show next to nothing.
"""

from __future__ import annotations

import math
from statistics import NormalDist

ALPHA = 0.05


def smallest_p(n: int, paired: bool = False) -> float:
    """Return the smallest two-sided p of an exact test on n seeds.

    Of Mann-Whitney and of the permutation test of n values against n others: 3: 0.10, 4: 0.0286,
    5: 0.00794, 6: 0.00216. Of sign flips of n differences: 5: 0.0625, 6: 0.03125.
    """
    if n < 1:
        return 1.0
    ways = 2**n if paired else math.comb(2 * n, n)
    return min(1.0, 2 / ways)


def decidable(n: int, paired: bool = False, alpha: float = ALPHA) -> bool:
    """Return whether an exact test on n common seeds can come to p <= alpha."""
    return smallest_p(n, paired) <= alpha


def least_seeds(paired: bool = False, alpha: float = ALPHA) -> int:
    """Return the fewest seeds with which a difference can be shown: 4; 6 if they are paired."""
    return next(n for n in range(1, 1000) if decidable(n, paired, alpha))


def why(n: int, paired: bool = False, alpha: float = ALPHA) -> str:
    """Return in a sentence what n common seeds can show."""
    least = smallest_p(n, paired)
    seeds = "1 common seed" if n == 1 else f"{n} common seeds"
    test = "sign-flip" if paired else "permutation"
    if n < 1:
        return "not decidable: there are no two submissions with a value under one seed"
    if least <= alpha:
        return f"with {seeds} an exact {test} test can come to p = {least:.3g}"
    fewest = least_seeds(paired, alpha)
    return (
        f"not decidable with {seeds}: the smallest p of an exact {test} test is {least:.3g}, above "
        f"{alpha:g}; {fewest} seeds are the fewest"
    )


def seeds_needed(probability: float = 0.75, alpha: float = ALPHA, missed: float = 0.05) -> int:
    """Return how many seeds show that one method beats the other with a probability.

    29 for the defaults: Noether, "Sample size determination for some common nonparametric tests",
    JASA 82 (1987), as Bouthillier et al., "Accounting for variance in machine learning
    benchmarks", MLSys 2021, use it.

    Args:
        probability: that a run of the better beats a run of the other, above 0.5.
        alpha: chance to call equal ones different, one-sided.
        missed: chance not to find the better one.
    """
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha) + normal.inv_cdf(1 - missed)
    return math.ceil((z / (math.sqrt(6) * (0.5 - probability))) ** 2)
