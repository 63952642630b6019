"""GET /api/v1/audit: what was done here, the newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from seedlock.leaderboard import audit, moments
from seedlock.leaderboard.dependencies import Administrator, Settings, Store

router = APIRouter(tags=["audit"])


class Entry(BaseModel):
    """What somebody did."""

    id: int
    time: str
    who: str
    address: str
    what: str
    on: str
    outcome: str


class Log(BaseModel):
    """A part of the log; `next` goes into `before` for what is older."""

    entries: list[Entry]
    next: int | None


@router.get("/audit")
def log(
    _by: Administrator, settings: Settings, store: Store,
    before: Annotated[int | None, Query(ge=1, le=(1 << 63) - 1)] = None,
) -> Log:  # fmt: skip
    """Return a page of the audit log."""
    size = settings.limits.page_size
    rows = audit.entries(store, before, size + 1)
    shown = [Entry(**{**row._mapping, "time": moments.stamp(row.time)}) for row in rows[:size]]
    return Log(entries=shown, next=shown[-1].id if len(rows) > size else None)
