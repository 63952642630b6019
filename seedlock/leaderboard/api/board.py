"""The scores of a round: its board, a submission, two side by side."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel

from seedlock.evaluation.rounds.formats import FREEZE
from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
from seedlock.evaluation.scores import spreadsheet
from seedlock.evaluation.scores.head_to_head import head_to_head
from seedlock.evaluation.scores.standings import Standings
from seedlock.leaderboard import withheld
from seedlock.leaderboard.access import Viewer, may_see_details
from seedlock.leaderboard.api.asked import NAME, Kept, KeptRound, SubmissionName, paged
from seedlock.leaderboard.api.records import seeds_are_open, team_of
from seedlock.leaderboard.board_order import Asked, ordered_by
from seedlock.leaderboard.dependencies import Settings, Store, Visitor
from seedlock.leaderboard.kept_rounds import STANDINGS, standings_of
from seedlock.leaderboard.problems import Problem, contradictory, not_found

router = APIRouter(tags=["board"])

SubmissionQuery = Annotated[str, Query(pattern=NAME)]


class Board(BaseModel):
    """A page of a board; keys of submissions are those of the standings (docs/scores.md)."""

    round: str
    revision: int
    metric: str
    direction: str
    unit: str
    rule: dict[str, Any]
    trained_by: str
    complete: bool
    revealed: bool
    seeds: list[str] | None
    comparison: dict[str, Any]
    submissions: list[dict[str, Any]]
    found: int
    page: int
    pages: int


class OneSubmission(BaseModel):
    """A submission of the standings."""

    round: str
    revision: int
    submission: dict[str, Any]


class Compared(BaseModel):
    """Two submissions: their entries in the standings, for each metric who was told apart as
    better (`a`, `b` or nobody), and both tests on the common seeds (docs/scores.md)."""

    round: str
    revision: int
    a: dict[str, Any]
    b: dict[str, Any]
    better: dict[str, str | None]
    metrics: dict[str, dict[str, Any]]


def standings(this: Kept) -> dict[str, Any]:
    """Return a round's standings, without seeds that are not public.

    Raises:
        Problem: 404, there are none yet; 503, there can be none.
        BadRound: they can't be read.
    """
    path = this.folder / STANDINGS
    if not path.exists():
        if (this.folder / f"{FREEZE}.json").exists():
            raise contradictory()
        raise not_found("this round has no scores yet")
    content = standings_of.get(path)
    return content if seeds_are_open(this) else {**content, "seeds": None}


@router.get("/rounds/{name}/standings")
def whole(this: KeptRound) -> dict[str, Any]:
    """Return all of a round's standings at once, as docs/scores.md has them."""
    return standings(this)


class Csv(PlainTextResponse):
    """A table as text; the class is what the description of the interface goes by."""

    media_type = "text/csv"


@router.get("/rounds/{name}/board", response_model=Board)
def board(
    this: KeptRound, settings: Settings,
    metric: Annotated[str | None, Query(max_length=200)] = None,
    sort: Literal[
        "rank", "name", "mean", "sd", "median", "runs", "runtime", "verification"
    ] = "rank",
    order: Literal["up", "down"] = "up",
    matching: Annotated[str, Query(alias="filter", max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:  # fmt: skip
    """Return a page of a round's board. An order is no ranking: `rank` and `group` of a score say
    who is told apart."""
    content = standings(this)
    chosen = next(iter(content["metrics"])) if metric is None else metric
    if chosen not in content["metrics"]:
        raise Problem(404, "this round has no such metric", given=metric,
                      allowed=", ".join(content["metrics"]))  # fmt: skip
    asked = Asked(chosen, sort, order, matching, page)
    text = _board(this, _version_of(this), chosen, asked, settings.limits.page_size)
    return Response(text, media_type="application/json")


Version = tuple[object, ...]
"""Changes with the standings and with who may see their seeds."""


def _version_of(this: Kept) -> Version:
    status = (this.folder / STANDINGS).stat()
    return status.st_ino, status.st_mtime_ns, status.st_size, seeds_are_open(this)


@lru_cache(maxsize=64)
def _board(this: Kept, _version: Version, metric: str, asked: Asked, size: int) -> str:
    """Return a page as JSON, up to a quarter of a megabyte."""
    content = standings(this)
    about = content["metrics"][metric]
    named = [
        each for each in content["submissions"] if asked.matching.lower() in each["name"].lower()
    ]
    found = ordered_by(named, metric, asked, about["direction"])
    here, pages = paged(found, asked.page, size)
    return Board(
        round=this.name, revision=this.revision, metric=metric,
        direction=about["direction"], unit=about["unit"], rule=content["rule"],
        trained_by=content["trained_by"], complete=content["complete"],
        revealed=content["revealed"], seeds=content["seeds"],
        comparison=content["comparisons"].get(metric, {}), submissions=here,
        found=len(found), page=asked.page, pages=pages,
    ).model_dump_json()  # fmt: skip


@router.get("/rounds/{name}/board.csv", response_class=Csv)
def as_table(this: KeptRound) -> Response:
    """Return all submissions and metrics as CSV, a line each."""
    headers = {"Content-Disposition": f'attachment; filename="{this.name}-board.csv"'}
    text = spreadsheet.text(Standings(standings(this)))
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/rounds/{name}/submissions/{submission}")
def one(
    this: KeptRound, submission: SubmissionName, visitor: Visitor, store: Store
) -> OneSubmission:
    """Return a submission: all of its seeds; of a private one numbers only, and to its team,
    organisers and reviewers why runs failed."""
    entry = _shown(this, visitor, store, _entry(standings(this), submission))
    return OneSubmission(round=this.name, revision=this.revision, submission=entry)


@router.get("/rounds/{name}/compare")
def compare(
    this: KeptRound, visitor: Visitor, store: Store, a: SubmissionQuery, b: SubmissionQuery
) -> Compared:
    """Return two submissions, who was told apart as better, and what the tests say, for each
    metric."""
    content = standings(this)
    one, other = _entry(content, a), _entry(content, b)
    found = _compared(this, _version_of(this), a, b)
    sides = {a: "a", b: "b"}
    return Compared(
        round=this.name, revision=this.revision, a=_shown(this, visitor, store, one),
        b=_shown(this, visitor, store, other),
        better={name: sides.get(each["better"]) for name, each in found.items()}, metrics=found,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _compared(this: Kept, _version: Version, a: str, b: str) -> dict[str, dict[str, Any]]:
    """Return the comparison of two submissions by metric; permutations take their time."""
    found = Standings(standings(this))
    return {metric: head_to_head(found, metric, a, b) for metric in found.content["metrics"]}


def _entry(content: dict[str, Any], name: str) -> dict[str, Any]:
    for each in content["submissions"]:
        if each["name"] == name:
            return dict(each)
    raise not_found("this round has no such submission")


def _shown(this: Kept, visitor: Viewer, store: Store, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry, a private one with its reasons for who may know them."""
    team = team_of(store, this, entry["digest"])
    path = this.folder / LEDGER
    known = "reasons" in (entry["runs"] or [{}])[0] or not path.exists()
    if known or not may_see_details(visitor, this.name, entry["visibility"], team):
        return entry
    reasons = {
        (event["seed_index"], event["attempt"]): event["content"]["reasons"]
        for event in withheld.events(path, 0, frozenset())
        if event["submission"] == entry["digest"] and event["kind"] == "ended"
    }
    runs = [
        {**run, "reasons": reasons.get((run["seed_index"], run["attempt"]), [])}
        for run in entry["runs"]
    ]
    return {**entry, "runs": runs}
