"""From the values of a round to each submission's score in each metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

from seedlock.evaluation.rounds.policy import INDEPENDENT, PAIRED
from seedlock.evaluation.scores import decidability, failures, pairwise, ranking, summaries
from seedlock.evaluation.scores.failures import DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedlock.evaluation.recording.metrics import Metric
    from seedlock.evaluation.scores.ranking import Ranking
    from seedlock.evaluation.scores.results import Submission

MOST_NAMED = 100
"""Up to so many submissions every tie and every pair that is told apart is named. A board of 1,000
has half a million pairs, which nobody reads; counts and the threshold say the same."""

FEW_NAMED = 20
"""Names in `tied_with` beyond that, the best first."""

DIGITS = 11
"""Of the threshold. The last ones of a p depend on how a processor adds."""

SUBSTITUTED = "substituted"
NO_SPREAD = "no-spread"
TOO_WIDE = "too-wide"
UNREAD = "unread"
"""Notes of a score: failed seeds count as the worst value, so there is no interval; all values are
equal, so that the interval has no width; a bound is beyond what a float holds; a run ended well and
its record could not be read."""


@dataclass(frozen=True)
class Rule:
    """What the policy says about scores.

    Attributes:
        failed: `worst` or `apart`.
        seeds: planned for each submission.
        compare: `independent` or `paired`.
        alpha: of tests and rank intervals.
    """

    failed: str
    seeds: int
    compare: str = INDEPENDENT
    alpha: float = decidability.ALPHA

    @property
    def paired(self) -> bool:
        """Whether the runs under one seed belong together."""
        return self.compare == PAIRED

    def as_dict(self) -> dict[str, Any]:
        """Return it with its method in words, JSON-ready."""
        test = "paired t-test" if self.paired else "Welch's t-test"
        said = f"{test} on common seeds, two-sided; Holm over both directions of all pairs"
        return {
            "failed": self.failed, "seeds": self.seeds, "alpha": self.alpha,
            "compare": self.compare, "confidence": summaries.CONFIDENCE, "method": said,
        }  # fmt: skip


def score(
    metric: Metric, submissions: Sequence[Submission], rule: Rule
) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # fmt: skip
    """Return the submissions' scores in a metric and the comparison of all, JSON-ready.

    Args:
        metric: its name and direction.
        submissions: in any order; the scores come in the same.
        rule: the policy's.
    """
    values = [each.values(metric.name) for each in submissions]
    substitute = failures.worst((one for each in values for one in each), metric.direction)
    counted = [
        failures.counted(mine, each.states, rule.failed, substitute)
        for mine, each in zip(values, submissions, strict=True)
    ]
    scores = [
        _numbers(each, mine, entered)
        for each, mine, entered in zip(submissions, values, counted, strict=True)
    ]
    placed = [place for place, each in enumerate(scores) if each["n"]]
    sign = 1 if metric.direction == "max" else -1
    table = numpy.array([counted[place] for place in placed], dtype=float)
    table = sign * table.reshape(len(placed), rule.seeds)
    means = numpy.array([sign * scores[place]["mean"] for place in placed], dtype=float)
    pairs = pairwise.all_pairs(table, rule.paired)
    numbers = {int(each) for each in numpy.unique(pairs.n)}
    fit = [each for each in numbers if decidability.decidable(each, rule.paired, rule.alpha)]
    shown = ranking.rank(means, pairs.difference, pairs.p, numpy.isin(pairs.n, fit), rule.alpha)
    names = [submissions[place].name for place in placed]
    order = sorted(range(len(placed)), key=lambda at: (-means[at], names[at]))
    for at, place in enumerate(placed):
        scores[place].update(_place(at, shown, names, order))
    common = pairs.n[numpy.triu_indices(len(placed), 1)]
    most = int(common.max(initial=0))
    told = _told(shown, names, order)
    return scores, {
        "decidable": most in fit,
        "why": decidability.why(most, rule.paired, rule.alpha),
        "worst": substitute,
        "ranked": len(placed),
        "pairs": len(common),
        "undecidable_pairs": int((~numpy.isin(common, fit)).sum()),
        "told_apart_count": int(shown.better.sum()),
        "told_apart": told,
        "threshold": float(f"{shown.threshold:.{DIGITS}g}"),
    }


def _numbers(
    of: Submission, values: list[float | None], counted: list[float | None]
) -> dict[str, Any]:  # fmt: skip
    own = [each for each in values if each is not None]
    entered = [each for each in counted if each is not None]
    substituted = len(entered) - len(own)
    found = summaries.summary(entered)
    notes = []
    shown: dict[str, Any] = {
        "n": 0, "mean": None, "sd": None, "low": None, "high": None, "median": None,
        "minimum": None, "maximum": None, "iqm": None,
    }  # fmt: skip
    if found is not None:
        shown = found.as_dict()
        if substituted:
            shown.update(low=None, high=None)
            notes.append(SUBSTITUTED)
        elif found.sd == 0:
            notes.append(NO_SPREAD)
        elif found.n > 1 and found.low is None:
            notes.append(TOO_WIDE)
    if any(run.state == DONE and run.problem is not None for run in of.runs):
        notes.append(UNREAD)
    only = summaries.summary(own)
    failed = sum(state in FAILED for state in of.states)
    return {
        "values": values,
        "counted": entered,
        "counted_by_seed": counted,
        **shown,
        "substituted": substituted,
        "done_only": only.as_dict() if only is not None and failed else None,
        "notes": notes,
        "rank": None,
        "tied": 0,
        "tied_with": [],
        "group": None,
    }


def _place(at: int, shown: Ranking, names: list[str], order: list[int]) -> dict[str, Any]:
    listed = len(names) <= MOST_NAMED
    apart = shown.better[at] | shown.better[:, at]
    apart[at] = True
    tied = [each for each in order if not apart[each]]
    return {
        "rank": [int(shown.first[at]), int(shown.last[at])],
        "tied": len(tied),
        "tied_with": [names[each] for each in (tied if listed else tied[:FEW_NAMED])],
        "group": int(shown.group[at]),
    }


def _told(shown: Ranking, names: list[str], order: list[int]) -> list[list[str]] | None:
    """Return the pairs [better, worse], best first; None where they are too many to list."""
    if len(names) > MOST_NAMED:
        return None
    return [
        [names[one], names[other]]
        for one in order for other in order if shown.better[one, other]
    ]  # fmt: skip
