"""Two submissions side by side, and what their numbers do and do not show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import charts, number_text
from seedlock.evaluation.scores.comparisons import MEANINGFUL, compare
from seedlock.evaluation.scores.head_to_head import ROUNDING
from seedlock.leaderboard.board_view import axis_title, chart_row, numbers
from seedlock.leaderboard.verification_levels import level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.charts import Chart
    from seedlock.evaluation.scores.comparisons import Comparison
    from seedlock.leaderboard.links import Links
    from seedlock.leaderboard.round_state import State


@dataclass(frozen=True)
class MetricPair:
    """Two submissions in one metric; texts, empty where there is no number.

    Attributes:
        verdict: the finding in words.
        shown: whether it is a difference.
        cautions: what else has to be said of it.
        told: mean, half, sd and others of either.
        difference, interval: first less second, and its 95 % interval.
        tests: name, p and remark of each.
        probability, between, favoured: of improvement, its interval, and of which one.
        values: by common or other seed: index, text of the first, of the second.
    """

    name: str
    unit: str
    direction: str
    chart: Chart | None
    verdict: str
    shown: bool
    cautions: tuple[str, ...]
    told: tuple[Mapping[str, str], Mapping[str, str]]
    difference: str
    interval: str
    tests: tuple[tuple[str, str, str], ...]
    probability: str
    between: str
    favoured: str
    values: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class CompareView:
    """The page of a comparison; without two submissions it only asks for them.

    Attributes:
        round, state: the round, and where it stands.
        names: of all submissions.
        first, second: what was asked for.
        links, levels: addresses and verification of the two.
        metrics: what was found.
        problem: why nothing was, or empty.
        pairs: in an export the comparisons that it has: two names and the address.
    """

    round: str
    state: State
    names: tuple[str, ...]
    first: str
    second: str
    links: tuple[str | None, str | None]
    levels: tuple[str, str]
    metrics: tuple[MetricPair, ...]
    problem: str
    pairs: tuple[tuple[str, str, str], ...]


def comparison(
    standings: Mapping[str, Any], first: str, second: str, state: State, links: Links
) -> CompareView:
    """Return what is shown of two submissions; names that are unknown are said to be so."""
    entries = {each["name"]: each for each in standings["submissions"]}
    one, other = entries.get(first), entries.get(second)
    problem = ""
    if (first or second) and (one is None or other is None):
        problem = "Choose two submissions of this round."
    elif one is other and one is not None:
        problem = "Choose two different submissions."
    metrics: tuple[MetricPair, ...] = ()
    levels: tuple[str, str] = ("", "")
    addresses: tuple[str | None, str | None] = (None, None)
    if one is not None and other is not None and not problem:
        metrics = tuple(
            _metric(standings, name, number, one, other, links, state.word == "void")
            for number, name in enumerate(standings["metrics"])
        )
        levels = level(one["verification"])[0], level(other["verification"])[0]
        addresses = (
            links.submission(standings["round"], first),
            links.submission(standings["round"], second),
        )  # fmt: skip
    names = sorted(entries)
    pairs = [
        (a, b, address)
        for place, a in enumerate(names if links.static and not metrics else ())
        for b in names[place + 1 :]
        if (address := links.compare(standings["round"], a, b)) is not None
    ]
    return CompareView(
        standings["round"], state, tuple(names), first, second, addresses, levels, metrics,
        problem, tuple(pairs),
    )  # fmt: skip


def verdict(
    found: Comparison, names: tuple[str, str], direction: str, alpha: float, threshold: float,
    pairs: int,
) -> str:  # fmt: skip
    """Return in words what a comparison shows, and never more.

    A difference is one that both tests find, and that the board finds among all its pairs.
    "Better" needs, besides, a probability of improvement that is meaningful
    (`comparisons.MEANINGFUL`).

    Args:
        found: the two, on their common seeds.
        names: of both.
        direction: of the metric.
        alpha: level of each test.
        threshold: the largest p that the board tells apart, after Holm over all its pairs.
        pairs: how many these are.
    """
    if found.n == 0:
        return "Not decidable: the two have no seed in common that has a value."
    if not found.decidable or found.primary is None or found.permutation is None:
        why = found.why.removeprefix("not decidable")
        return f"Not decidable{why}." if why != found.why else f"Not decidable: {why}."
    ahead = _ahead(found, direction)
    small = [test.p <= alpha for test in (found.primary, found.permutation)]
    if not any(small) or ahead is None:
        return (
            f"Not told apart: with {found.n} common seeds neither test finds a difference at "
            f"{alpha:g}. That does not show that they are equal."
        )
    if not all(small):
        return (
            f"Not told apart: the two tests do not agree at {alpha:g}, so no difference is shown."
        )
    if found.primary.p > threshold * (1 + ROUNDING):
        return (
            f"Not told apart: the two would be by themselves, but a board of {pairs} pairs has "
            "such differences by chance, and corrected for that (Holm) this one is not shown."
        )
    better, worse = names[ahead], names[1 - ahead]
    probability, low, _ = _improvement(found, ahead)
    if probability is not None and probability >= MEANINGFUL and low is not None and low > 0.5:
        return (
            f"On these seeds {better} was better than {worse}: both tests tell them apart at "
            f"{alpha:g}, and a run of {better} beats one of {worse} more often than not."
        )
    return (
        f"{better} had the better mean, and both tests tell the two apart at {alpha:g}. That a "
        f"single run of {better} beats one of {worse} more often than not is not shown."
    )


def _ahead(found: Comparison, direction: str) -> int | None:
    if not found.difference:
        return None
    return 0 if (found.difference > 0) == (direction == "max") else 1


def _improvement(
    found: Comparison, of: int
) -> tuple[float | None, float | None, float | None]:  # fmt: skip
    """Return the probability of improvement of one of the two with its interval."""
    given = found.improvement
    if given is None:
        return None, None, None
    if of == 0 or given.low is None or given.high is None:
        return (given.probability if of == 0 else 1 - given.probability), given.low, given.high
    return 1 - given.probability, 1 - given.high, 1 - given.low


def _metric(
    standings: Mapping[str, Any], name: str, number: int, one: Mapping[str, Any],
    other: Mapping[str, Any], links: Links, void: bool,
) -> MetricPair:  # fmt: skip
    about, rule = standings["metrics"][name], standings["rule"]
    scores = one["scores"][name], other["scores"][name]
    names = one["name"], other["name"]
    found = compare(
        scores[0]["counted_by_seed"], scores[1]["counted_by_seed"], about["direction"],
        rule.get("compare") == "paired", rule["alpha"],
    )  # fmt: skip
    compared = standings["comparisons"].get(name, {})
    said = verdict(
        found, names, about["direction"], rule["alpha"], compared.get("threshold", 0.0),
        compared.get("pairs", 0),
    )  # fmt: skip
    ahead = _ahead(found, about["direction"])
    probability, low, high = _improvement(found, ahead or 0)
    half = None if found.low is None or found.high is None else found.high / 2 - found.low / 2
    difference = interval = ""
    if found.difference is not None:
        difference, _ = number_text.with_spread(found.difference, half)
        if found.low is not None and found.high is not None:
            ends = [number_text.at(each, difference) for each in (found.low, found.high)]
            interval = f"{ends[0]} to {ends[1]}"
    return MetricPair(
        name=name,
        unit=about["unit"],
        direction=about["direction"],
        chart=charts.seeds(
            [
                replace(
                    chart_row(each, name, links.submission(standings["round"], each["name"])),
                    group=None,
                )
                for each in (one, other)
            ],
            f"p{number}", f"{name} of {names[0]} and {names[1]}", axis_title(name, about),
        ),
        verdict=said,
        shown=not said.startswith("Not "),
        cautions=tuple(_cautions(standings, name, one, other, void)),
        told=(numbers(scores[0]), numbers(scores[1])),
        difference=difference,
        interval=interval,
        tests=tuple(_test(each) for each in (found.primary, found.permutation) if each is not None),
        probability="" if probability is None else f"{probability:.2f}",
        between="" if low is None or high is None else f"{low:.2f} to {high:.2f}",
        favoured=names[ahead or 0],
        values=tuple(
            (index, _value(scores[0], index), _value(scores[1], index))
            for index in range(rule["seeds"])
        ),
    )  # fmt: skip


def _test(test: Any) -> tuple[str, str, str]:
    remarks = []
    if test.statistic is not None:
        freedom = "" if test.freedom is None else f", {test.freedom:.2f} degrees of freedom"
        remarks.append(f"t = {test.statistic:.3f}{freedom}")
    if test.exact is not None:
        remarks.append("all ways gone through" if test.exact else "ways drawn at random")
    if test.smallest is not None:
        remarks.append(f"smallest possible p {test.smallest:.3g}")
    return test.name, f"{test.p:.3g}", "; ".join(remarks)


def _value(score: Mapping[str, Any], index: int) -> str:
    value, counts = score["values"][index], score["counted_by_seed"][index]
    if value is not None:
        return number_text.plain(value)
    return "" if counts is None else f"failed, counts as {number_text.plain(counts)}"


def _cautions(
    standings: Mapping[str, Any], name: str, one: Mapping[str, Any], other: Mapping[str, Any],
    void: bool,
) -> list[str]:  # fmt: skip
    said = []
    if void:
        said.append("The round is void: no result of it counts.")
    if not standings["complete"]:
        said.append("The round is not complete: more runs may change this.")
    for entry in (one, other):
        if entry["waiting"]:
            said.append(f"{entry['name']} was not run yet under {_seeds(entry['waiting'])}.")
        if entry["scores"][name].get("substituted"):
            failed = _seeds(entry["scores"][name]["substituted"])
            said.append(
                f"{entry['name']} failed under {failed}: the worst value of the round counts there."
            )
        elif entry["failed"]:
            failed = _seeds(entry["failed"])
            said.append(f"{entry['name']} failed under {failed}: no number here has that in it.")
        if entry["infrastructure"]:
            lost = _seeds(entry["infrastructure"])
            said.append(f"{entry['name']} lost {lost} to the machine: there is no value of that.")
        if entry["verification"] == "marked":
            said.append(f"{entry['name']} is marked: a repeated run differed from its record.")
        elif entry["verification"] == "self-reported":
            said.append(f"The numbers of {entry['name']} are its authors' own word.")
    return said


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
