"""/api/v1/teams: those who hand in together."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request

from seedlock.leaderboard import audit, credentials, moments
from seedlock.leaderboard.dependencies import Administrator, Now, Settings, Store
from seedlock.leaderboard.rate_limits import address

router = APIRouter(tags=["teams"])


class NewTeam(BaseModel, extra="forbid", strict=True):
    """A team to be made."""

    name: str = Field(
        min_length=1, max_length=60, pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9._-])?$"
    )


class Team(BaseModel):
    """A team."""

    name: str
    created: str


class Teams(BaseModel):
    """Some teams by name; `next` goes into `after` for those behind them."""

    teams: list[Team]
    next: str | None


@router.get("/teams")
def list_teams(
    _by: Administrator, settings: Settings, store: Store,
    after: Annotated[str, Query(max_length=60, pattern="^[ -~]*$")] = "",
) -> Teams:  # fmt: skip
    """Return a page of teams."""
    size = settings.limits.page_size
    rows = credentials.teams(store, after, size + 1)
    shown = [Team(name=row.name, created=moments.stamp(row.created)) for row in rows[:size]]
    return Teams(teams=shown, next=shown[-1].name if len(rows) > size else None)


@router.post("/teams", status_code=201)
def make_team(
    request: Request, by: Administrator, store: Store, now: Now, wanted: NewTeam
) -> Team:  # fmt: skip
    """Make a team."""
    credentials.make_team(
        store, audit.Note(now, by.who, address(request), "make team"), wanted.name
    )
    return Team(name=wanted.name, created=moments.stamp(now))
