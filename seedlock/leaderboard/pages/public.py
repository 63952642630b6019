"""The pages that everybody sees: rounds, boards, submissions, comparisons, ceremonies, ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import anyio
from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from seedlock.errors import BadRound
from seedlock.evaluation.rounds.ledger_lines import NAME as LEDGER
from seedlock.leaderboard import (
    board_view,
    ceremony_view,
    compare_view,
    ledger_view,
    moments,
    rounds_view,
    tables,
    withheld,
)
from seedlock.leaderboard.access import may_list_submissions
from seedlock.leaderboard.api import proofs
from seedlock.leaderboard.api.asked import AllRounds, KeptRound, RoundName, SubmissionName
from seedlock.leaderboard.board_order import COLUMNS, Asked
from seedlock.leaderboard.dependencies import Now, Settings, Store, Visitor
from seedlock.leaderboard.forms import harmless
from seedlock.leaderboard.links import ServerLinks
from seedlock.leaderboard.pages import opened
from seedlock.leaderboard.pages.opened import Opened
from seedlock.leaderboard.pages.page_cache import PageCache, answer
from seedlock.leaderboard.pages.showing import page
from seedlock.leaderboard.pages.shown_submission import submission_page
from seedlock.leaderboard.problems import Problem, contradictory, not_found
from seedlock.leaderboard.rate_limits import costly
from seedlock.leaderboard.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from seedlock.leaderboard.access import Viewer

router = APIRouter()

LINKS = ServerLinks()

View = TypeVar("View")

LONGEST = 200
"""Letters of a metric's name, or of a part of a submission's."""

Text = Annotated[str, Query(max_length=LONGEST)]
Number = Annotated[int, Query(ge=1, le=1_000_000)]


@router.get("/")
async def rounds(
    request: Request, visitor: Visitor, all_rounds: AllRounds, store: Store, now: Now
) -> Response:
    """Show the list of rounds."""

    def view() -> rounds_view.RoundsView:
        with store.read() as connection:
            names = connection.execute(select(tables.Round.name)).scalars().all()
        return rounds_view.rounds([_entry(all_rounds.folder(name), now) for name in names])

    # The list changes with any round, so that it is made anew.
    return await _shown(request, visitor, None, "rounds.html", view)


@router.get("/rounds/{name}")
async def board(
    request: Request, visitor: Visitor, name: RoundName, all_rounds: AllRounds,
    settings: Settings, now: Now, metric: Text | None = None, sort: Text = "rank",
    order: Text = "up", filter_: Annotated[str, Query(alias="filter", max_length=LONGEST)] = "",
    page: Number = 1,
) -> Response:  # fmt: skip
    """Show a round's board."""
    folder = all_rounds.folder(name)
    if sort not in COLUMNS or order not in ("up", "down"):
        raise Problem(
            422, "a board can't be sorted so", allowed=f"sort={' or '.join(COLUMNS)}; "
            "order=up or down", cure="follow the links above the columns",
        )  # fmt: skip
    asked = Asked(metric, sort, order, filter_.strip(), page)

    def view() -> board_view.BoardView:
        this = opened.load(folder, now)
        size = settings.limits.page_size
        found = board_view.board(this.standings, this.state, LINKS, asked, size)
        return _there(found, "this board has no such metric or page")

    key = ("board", name, opened.version(folder, now), asked)
    return await _shown(request, visitor, key, "board.html", view)


@router.get("/rounds/{name}/submissions/{submission}")
async def submission(
    request: Request, visitor: Visitor, name: RoundName, submission: SubmissionName,
    all_rounds: AllRounds, store: Store, now: Now,
) -> Response:  # fmt: skip
    """Show a submission."""
    folder = all_rounds.folder(name)
    key = ("submission", name, opened.version(folder, now), submission)
    return await _shown(
        request, visitor, key, "submission.html",
        lambda: submission_page(opened.load(folder, now), submission, visitor, store, LINKS),
    )  # fmt: skip


@router.get("/rounds/{name}/compare")
async def compare(
    request: Request, visitor: Visitor, name: RoundName, all_rounds: AllRounds, now: Now,
    a: Text = "", b: Text = "",
) -> Response:  # fmt: skip
    """Show two submissions side by side."""
    folder = all_rounds.folder(name)

    def view() -> compare_view.CompareView:
        this = opened.load(folder, now)
        return compare_view.comparison(this.standings, a, b, this.state, LINKS)

    key = ("compare", name, opened.version(folder, now), a, b)
    return await _shown(request, visitor, key, "compare.html", view)


@router.get("/rounds/{name}/ceremony")
async def ceremony(
    request: Request, visitor: Visitor, name: RoundName, all_rounds: AllRounds,
    settings: Settings, now: Now,
) -> Response:  # fmt: skip
    """Show how the seeds came about."""
    folder = all_rounds.folder(name)
    key = ("ceremony", name, opened.version(folder, now))
    return await _shown(
        request, visitor, key, "ceremony.html",
        lambda: _ceremony(opened.load(folder, now), None, settings.url),
    )  # fmt: skip


@router.post("/rounds/{name}/ceremony/verify", dependencies=[Depends(costly)])
@harmless
async def verify(
    request: Request, visitor: Visitor, this: KeptRound, settings: Settings, now: Now
) -> Response:  # fmt: skip
    """Verify a round's files and show what was found; nothing is changed by it."""

    def view() -> ceremony_view.CeremonyView:
        found = proofs.findings(request, this, now)
        shown = opened.load(this.folder, now)
        return _ceremony(shown, ceremony_view.checked(found), settings.url)

    # What was found is kept by the verifier, which says so when it is busy.
    return await _shown(request, visitor, None, "ceremony.html", view)


@router.get("/rounds/{name}/ledger")
async def ledger(
    request: Request, visitor: Visitor, name: RoundName, all_rounds: AllRounds, now: Now,
    page: Number = 1,
) -> Response:  # fmt: skip
    """Show a page of a round's ledger."""
    folder = all_rounds.folder(name)
    sees_all = may_list_submissions(visitor, name)

    def view() -> ledger_view.LedgerView:
        this = opened.load(folder, now)
        whole = _whole(folder, sees_all)
        found = ledger_view.ledger(folder, name, this.names, this.state, LINKS, page, whole)
        return _there(found, "this ledger has no such page")

    key = ("ledger", name, opened.version(folder, now), page)
    return await _shown(request, visitor, key, "ledger.html", view)


@router.get("/images")
async def images(request: Request, visitor: Visitor, store: Store) -> Response:
    """Show the published versions of images."""

    def view() -> rounds_view.ImagesView:
        with store.read() as connection:
            rows = connection.execute(
                select(tables.Image).order_by(tables.Image.published.desc(), tables.Image.id.desc())
            ).all()
        return rounds_view.ImagesView(tuple(
            rounds_view.ImageEntry(
                row.name, row.version, row.digest, row.lock, row.manifest_sha256 or "",
                moments.stamp(row.published),
            )
            for row in rows
        ))  # fmt: skip

    return await _shown(request, visitor, None, "images.html", view)


def _entry(folder: Path, now: int) -> rounds_view.RoundEntry:
    try:
        this = opened.load(folder, now)
    except (Problem, BadRound) as problem:
        return rounds_view.unreadable(folder.name, str(getattr(problem, "detail", problem)))
    return rounds_view.entry(this.policy, this.state, LINKS)


def _ceremony(
    this: Opened, found: ceremony_view.Checked | None, origin: str
) -> ceremony_view.CeremonyView:
    return ceremony_view.ceremony(this.this, this.state, LINKS, found, origin)


def _whole(folder: Path, sees_all: bool) -> bool:
    """Return whether somebody may have the ledger's file as it is."""
    if sees_all or not (folder / LEDGER).exists():
        return True
    return not withheld.holds_private_reasons(folder, LEDGER)


def _there(view: View | None, what: str) -> View:
    if view is None:
        raise not_found(what)
    return view


async def _shown(
    request: Request, visitor: Viewer, key: Hashable, template: str, view: Callable[[], Any]
) -> Response:  # fmt: skip
    """Return a page: to who is signed in made for them, to all others from the cache.

    Args:
        request: asked for it.
        visitor: asked for it.
        key: of what it depends on; None for a page that is not kept.
        template: its template.
        view: makes what it shows.
    """
    try:
        if visitor.signed_in or key is None:
            return await anyio.to_thread.run_sync(lambda: page(request, template, view=view()))
        cache = cast("PageCache", request.app.state.page_cache)
        return answer(request, await cache.get(key, lambda: render(template, view(), LINKS)))
    except BadRound as problem:
        raise contradictory() from problem
