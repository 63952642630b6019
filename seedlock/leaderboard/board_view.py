"""What a round's board shows: its rows in order, filtered and paged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import charts, number_text
from seedlock.leaderboard.board_order import COLUMNS, ordered_by
from seedlock.leaderboard.verification_levels import level, strength

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.charts import Chart
    from seedlock.leaderboard.board_order import Asked
    from seedlock.leaderboard.links import Links
    from seedlock.leaderboard.round_state import State

PAGE = 50
"""Submissions on a page."""

CLASSES = {"replayed-identical": "strong", "replayed-within-tolerance": "strong", "marked": "doubt"}
"""Class in the style sheet by the level of verification."""

NOTES = {
    "substituted": "with failed seeds at the worst value: no interval",
    "no-spread": "all values are equal",
    "too-wide": "the interval is too wide to be written",
    "unread": "a record can't be read",
}
"""What is said of a score, by the word of the standings."""


@dataclass(frozen=True)
class BoardRow:
    """A submission on a board; texts are ready to be read, and empty where there is no number."""

    name: str
    link: str | None
    private: bool
    rank: str
    group: str
    tied: tuple[str, ...]
    mean: str
    half: str
    low: str
    high: str
    sd: str
    median: str
    counted: int
    ok: int
    failed: int
    waiting: int
    lost: int
    planned: int
    runtime: str
    hardware: str
    verification: str
    verification_class: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class BoardView:
    """A page of a board.

    Attributes:
        round: its name.
        state: where the round stands.
        metric, unit, direction: what is shown.
        metrics: names and addresses of all of them.
        rows: of this page.
        chart: of these rows, or None without a value.
        found, total: submissions that match the filter, and all.
        page, pages: from 1 on.
        sort, order, matching: as asked for.
        decidable, why: whether any two could be told apart with so many seeds.
        told_apart, pairs: how many pairs of submissions were, of how many.
        levels: names and meanings of the levels of verification on this page.
        rule: words of the standings on failed runs, seeds and method.
        sorts: by column, the address that sorts by it and the order it has now, or None.
        pagers: numbers and addresses of the pages.
        hardware: of all runs, where it is one; else empty, and each row has its own.
        grouped: whether the rows of each group follow each other, the first group first.
    """

    round: str
    state: State
    metric: str
    unit: str
    direction: str
    metrics: tuple[tuple[str, str | None], ...]
    rows: tuple[BoardRow, ...]
    chart: Chart | None
    found: int
    total: int
    page: int
    pages: int
    sort: str
    order: str
    matching: str
    decidable: bool
    why: str
    told_apart: int
    pairs: int
    levels: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    rule: Mapping[str, Any]
    trained_by: str
    sorts: Mapping[str, tuple[str | None, str | None]]
    pagers: tuple[tuple[int, str | None], ...]
    hardware: str
    grouped: bool


def board(
    standings: Mapping[str, Any], state: State, links: Links, asked: Asked, size: int = PAGE
) -> BoardView | None:
    """Return a page of a board, or None if there is no such metric or page.

    Args:
        standings: as `Standings.as_dict` has them.
        state: where the round stands.
        links: where pages lie.
        asked: what is shown.
        size: submissions on a page.
    """
    metrics = standings["metrics"]
    metric = next(iter(metrics)) if asked.metric is None else asked.metric
    if metric not in metrics:
        return None
    about = metrics[metric]
    every = standings["submissions"]
    found = [each for each in every if asked.matching.lower() in each["name"].lower()]
    ordered = ordered_by(found, metric, asked, about["direction"])
    pages = max(1, -(-len(ordered) // size))
    if not 1 <= asked.page <= pages:
        return None
    shown = ordered[size * (asked.page - 1) : size * asked.page]
    machines = {each["hardware"] for each in every if each["hardware"]}
    name = standings["round"]
    rows = [chart_row(each, metric, links.submission(name, each["name"])) for each in shown]
    groups = [row.group for row in rows if row.group is not None]
    grouped = groups == sorted(groups)
    if not grouped:
        rows = [replace(row, group=None) for row in rows]
    compared = standings.get("comparisons", {}).get(metric, {})
    words = sorted({each["verification"] for each in shown}, key=strength)
    own = asked.metric

    def address(column: str) -> tuple[str | None, str | None]:
        now = asked.order if asked.sort == column else None
        turned = "down" if now == "up" else "up"
        plain = column == "rank" and turned == "up"
        link = links.board(
            name, metric=own, sort=None if plain else column,
            order=None if turned == "up" else turned, matching=asked.matching or None,
        )  # fmt: skip
        return link, now

    return BoardView(
        round=name,
        state=state,
        metric=metric,
        unit=about["unit"],
        direction=about["direction"],
        metrics=tuple((each, links.board(name, metric=each)) for each in metrics),
        rows=tuple(_row(each, metric, name, links) for each in shown),
        chart=charts.seeds(
            rows, "seeds", f"{metric} of each seed, by submission", axis_title(metric, about),
        ),
        found=len(ordered),
        total=len(every),
        page=asked.page,
        pages=pages,
        sort=asked.sort,
        order=asked.order,
        matching=asked.matching,
        decidable=compared.get("decidable", True),
        why=compared.get("why", ""),
        told_apart=compared.get("told_apart_count", 0),
        pairs=compared.get("pairs", 0),
        levels=tuple(level(word) for word in words),
        problems=tuple(standings.get("problems", ())),
        rule=standings["rule"],
        trained_by=standings["trained_by"],
        sorts={column: address(column) for column in COLUMNS},
        pagers=tuple(
            (number, links.board(
                name, metric=own, sort=asked.sort if asked.sort != "rank" else None,
                order=asked.order if asked.order != "up" else None,
                matching=asked.matching or None, page=number,
            ))
            for number in _near(asked.page, pages)
        ),
        hardware=machines.pop() if len(machines) == 1 else "",
        grouped=grouped,
    )  # fmt: skip


def chart_row(entry: Mapping[str, Any], metric: str, link: str | None) -> charts.Row:
    """Return how a submission of the standings is drawn."""
    score = entry["scores"].get(metric) or {}
    values = score.get("values", ())
    counted = score.get("counted_by_seed", ())
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    instead = [
        (index, counts) for index, (value, counts) in enumerate(zip(values, counted, strict=False))
        if value is None and counts is not None
    ]  # fmt: skip
    return charts.Row(
        entry["name"], link, tuple(known), tuple(instead),
        score.get("mean"), score.get("low"), score.get("high"), score.get("group"),
    )  # fmt: skip


def numbers(score: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a score or of a runtime: mean, half, low, high, sd, median."""
    mean, low, high = (score.get(key) for key in ("mean", "low", "high"))
    if mean is None:
        return dict.fromkeys(("mean", "half", "low", "high", "sd", "median"), "")
    half = None if low is None or high is None else high / 2 - low / 2
    # Without an interval the standard deviation says how many digits there are.
    text, spread = number_text.with_spread(mean, score.get("sd") if half is None else half)
    told = {"mean": text, "half": "" if half is None else spread or ""}
    for key in ("low", "high", "sd", "median"):
        value = score.get(key)
        told[key] = "" if value is None else number_text.at(value, spread or "")
    return told


def axis_title(metric: str, about: Mapping[str, Any]) -> str:
    """Return what stands below a scale of a metric."""
    unit = f" ({about['unit']})" if about["unit"] else ""
    better = "higher" if about["direction"] == "max" else "lower"
    return f"{metric}{unit}, {better} is better"


def _row(entry: Mapping[str, Any], metric: str, name: str, links: Links) -> BoardRow:
    score = entry["scores"].get(metric) or {}
    rank, runtime = score.get("rank"), entry["runtime"]
    told = numbers(score)
    return BoardRow(
        name=entry["name"],
        link=links.submission(name, entry["name"]),
        private=entry["visibility"] == "private",
        rank=number_text.span(*rank) if rank else "",
        group=str(score["group"]) if score.get("group") is not None else "",
        tied=tuple(score.get("tied_with", ())),
        counted=score.get("n") or 0,
        ok=entry["ok"],
        failed=entry["failed"],
        waiting=entry["waiting"],
        lost=entry["infrastructure"],
        planned=entry["planned"],
        runtime=number_text.duration(runtime["mean"]) if runtime and runtime["mean"] else "",
        hardware=entry["hardware"] or "",
        verification=level(entry["verification"])[0],
        verification_class=CLASSES.get(entry["verification"], "plain"),
        notes=tuple(NOTES[each] for each in score.get("notes", ()) if each in NOTES),
        **told,
    )


def _near(page: int, pages: int) -> list[int]:
    """Return the numbers that lead on from a page: the ends and its neighbours."""
    return [
        number for number in range(1, pages + 1)
        if number in (1, pages) or abs(number - page) <= 2
    ]  # fmt: skip
