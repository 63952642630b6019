"""What the page of a submission shows: every seed, every number, and how far they were checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedlock.evaluation import charts, number_text
from seedlock.leaderboard import curves
from seedlock.leaderboard.board_view import CLASSES, NOTES, axis_title, chart_row, numbers
from seedlock.leaderboard.verification_levels import level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedlock.evaluation.charts import Chart
    from seedlock.leaderboard.links import Links
    from seedlock.leaderboard.round_state import State

MOST_CURVES = 12
"""Series that are drawn; a program may log any number."""

STATES = {
    "done": "done",
    "author-failure": "the program failed",
    "limit": "came to a limit",
    "infrastructure": "the machine failed",
    "waiting": "not run yet",
}


@dataclass(frozen=True)
class SeedRow:
    """One seed of a submission; empty texts where there is nothing.

    Attributes:
        index: of the seed.
        seed: itself, once it is public.
        state: in words.
        good, open: whether it is done, or still to come.
        attempt: number of the last one; 0 before the first.
        time: it took.
        values: text by metric, in their order.
        instead: by metric, what counts where there is no value.
        record, sha256: address and digest of the record.
        reasons: why it ended so.
    """

    index: int
    seed: str
    state: str
    good: bool
    open: bool
    attempt: int
    time: str
    values: tuple[str, ...]
    instead: tuple[str, ...]
    record: str | None
    sha256: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class MetricView:
    """A submission's score in one metric."""

    name: str
    unit: str
    direction: str
    chart: Chart | None
    told: Mapping[str, str]
    counted: int
    least: str
    most: str
    iqm: str
    rank: str
    group: str
    tied: tuple[tuple[str, str | None], ...]
    more_tied: int
    notes: tuple[str, ...]
    only: str


@dataclass(frozen=True)
class Curve:
    """A metric by step, and its course in numbers: seed, points, first, least, most, last."""

    name: str
    unit: str
    counts: bool
    chart: Chart
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class SubmissionView:
    """The page of a submission; `archive` is the address of what was handed in, where the visitor
    may have it."""

    round: str
    state: State
    name: str
    digest: str
    private: bool
    verification: str
    verification_class: str
    meaning: str
    trained_by: str
    ok: int
    failed: int
    waiting: int
    lost: int
    planned: int
    attempts: int
    hardware: str
    runtime: str
    metrics: tuple[MetricView, ...]
    rows: tuple[SeedRow, ...]
    curves: tuple[Curve, ...]
    more_curves: int
    apart: bool
    others: tuple[str, ...]
    archive: str | None = None


def submission(
    standings: Mapping[str, Any],
    name: str,
    state: State,
    links: Links,
    records: Mapping[int, Mapping[str, Any]],
    show_records: bool,
) -> SubmissionView | None:
    """Return what is shown of a submission, or None if the round has none of that name.

    Args:
        standings: as `Standings.as_dict` has them.
        name: the submission's.
        state: where the round stands.
        links: where pages lie.
        records: contents by seed index, of those that may be shown.
        show_records: whether they may be downloaded.
    """
    entry = next((each for each in standings["submissions"] if each["name"] == name), None)
    if entry is None:
        return None
    metrics = standings["metrics"]
    word, meaning = level(entry["verification"])
    drawn, left_out = _curves(records, metrics)
    runtime = entry["runtime"]
    took = ""
    if runtime:
        took = number_text.duration(runtime["mean"])
        if runtime["n"] > 1:
            least, most = (number_text.duration(runtime[key]) for key in ("minimum", "maximum"))
            took += f" in the mean, {least} to {most}"
    return SubmissionView(
        round=standings["round"],
        state=state,
        name=name,
        digest=entry["digest"],
        private=entry["visibility"] == "private",
        verification=word,
        verification_class=CLASSES.get(entry["verification"], "plain"),
        meaning=meaning,
        trained_by=standings["trained_by"],
        ok=entry["ok"],
        failed=entry["failed"],
        waiting=entry["waiting"],
        lost=entry["infrastructure"],
        planned=entry["planned"],
        attempts=entry["attempts"],
        hardware=entry["hardware"] or "",
        runtime=took,
        metrics=tuple(
            _metric(standings, entry, each, number, links) for number, each in enumerate(metrics)
        ),
        rows=tuple(_row(standings, entry, run, links, show_records) for run in entry["runs"]),
        curves=drawn,
        more_curves=left_out,
        apart=standings["rule"]["failed"] == "apart",
        others=tuple(each["name"] for each in standings["submissions"] if each is not entry),
    )


def _metric(
    standings: Mapping[str, Any], entry: Mapping[str, Any], name: str, number: int, links: Links
) -> MetricView:
    about, score = standings["metrics"][name], entry["scores"][name]
    told = numbers(score)

    def text(key: str) -> str:
        value = score.get(key)
        return "" if value is None else number_text.at(value, told["mean"])

    only = score.get("done_only")
    said = ""
    if only and score.get("substituted"):
        mean, half = number_text.with_spread(
            only["mean"], None if only["low"] is None else only["high"] / 2 - only["low"] / 2
        )
        said = f"{mean} ± {half}" if half else mean
    rank = score.get("rank")
    tied = tuple(score.get("tied_with", ()))
    return MetricView(
        name=name,
        unit=about["unit"],
        direction=about["direction"],
        chart=charts.seeds(
            [chart_row(entry, name, None)], f"m{number}", f"{name} of each seed of {entry['name']}",
            axis_title(name, about),
        ),
        told=told,
        counted=score["n"],
        least=text("minimum"),
        most=text("maximum"),
        iqm=text("iqm"),
        rank=number_text.span(*rank) if rank else "",
        group="" if score.get("group") is None else str(score["group"]),
        tied=tuple((each, links.compare(standings["round"], entry["name"], each)) for each in tied),
        more_tied=max(0, score.get("tied", 0) - len(tied)),
        notes=tuple(NOTES[each] for each in score.get("notes", ()) if each in NOTES),
        only=said,
    )  # fmt: skip


def _row(
    standings: Mapping[str, Any], entry: Mapping[str, Any], run: Mapping[str, Any], links: Links,
    show_records: bool,
) -> SeedRow:  # fmt: skip
    index, seeds = run["seed_index"], standings["seeds"]
    values, instead = [], []
    for score in (entry["scores"][name] for name in standings["metrics"]):
        value, counts = score["values"][index], score["counted_by_seed"][index]
        values.append("" if value is None else number_text.plain(value))
        instead.append(
            number_text.plain(counts) if value is None and counts is not None else ""
        )  # fmt: skip
    path = run.get("record")
    link = None
    if show_records and path:
        link = links.record(standings["round"], entry["name"], path.rsplit("/", 1)[-1])
    outcome = run["class"]
    state = STATES.get(run["state"], run["state"])
    if outcome and outcome not in (run["state"], "done"):
        state = f"{state} ({outcome})"
    if run.get("problem"):
        state = f"{state}; {run['problem']}"
    return SeedRow(
        index=index,
        seed=seeds[index] if seeds else "",
        state=state,
        good=run["state"] == "done" and not run.get("problem"),
        open=run["state"] == "waiting",
        attempt=run["attempt"],
        time="" if run["seconds"] is None else number_text.duration(run["seconds"]),
        values=tuple(values),
        instead=tuple(instead),
        record=link,
        sha256=run["record_sha256"] or "",
        reasons=tuple(run.get("reasons") or ()),
    )


def _curves(
    records: Mapping[int, Mapping[str, Any]], metrics: Mapping[str, Any]
) -> tuple[tuple[Curve, ...], int]:
    """Return the curves, those of metrics that count first, and how many more there are."""
    found: dict[str, dict[int, curves.Points]] = {}
    for index, record in sorted(records.items()):
        for name, series in (record.get("metrics", {}).get("series") or {}).items():
            points = curves.known(series)
            if points:
                found.setdefault(name, {})[index] = points
    names = sorted(found, key=lambda name: (name not in metrics, name))
    made = []
    for number, name in enumerate(names[:MOST_CURVES]):
        unit = metrics[name]["unit"] if name in metrics else ""
        chart = curves.curves(found[name], f"c{number}", name, unit)
        if chart is not None:
            rows = tuple(_course(index, points) for index, points in sorted(found[name].items()))
            made.append(Curve(name, unit, name in metrics, chart, rows))
    return tuple(made), len(names) - len(made)


def _course(index: int, points: curves.Points) -> tuple[str, ...]:
    values = [value for _, value in points]
    shown = (values[0], min(values), max(values), values[-1])
    return (str(index), str(len(points)), *(number_text.plain(value) for value in shown))
