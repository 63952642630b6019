"""/api/v1/tokens: issued, listed and revoked by organisers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field
from starlette.requests import Request

from seedlock.leaderboard import audit, credentials, moments
from seedlock.leaderboard.api.asked import NAME
from seedlock.leaderboard.dependencies import Administrator, Now, Settings, Store
from seedlock.leaderboard.rate_limits import address

router = APIRouter(tags=["tokens"])

LARGEST = (1 << 31) - 1
"""Number of a row that both databases can look for."""

Number = Annotated[int, Path(ge=1, le=LARGEST)]


class NewToken(BaseModel, extra="forbid", strict=True):
    """A token to be issued."""

    role: Literal["organiser", "author", "reviewer"]
    team: str | None = Field(None, min_length=1, max_length=60)
    round: str | None = Field(None, pattern=NAME)
    days: int = Field(90, ge=1, le=100_000)
    note: str = Field("", max_length=credentials.LONGEST_NOTE)


class Token(BaseModel):
    """A token without its text."""

    id: int
    role: str
    team: str | None
    round: str | None
    note: str
    created: str
    created_by: int | None
    expires: str
    revoked: str | None
    last_used: str | None


class IssuedToken(Token):
    """A token with its text, which no later answer has."""

    token: str


class Tokens(BaseModel):
    """Some tokens, the newest first; `next` goes into `before` for older ones."""

    tokens: list[Token]
    next: int | None


@router.get("/tokens")
def list_tokens(
    _by: Administrator, settings: Settings, store: Store,
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> Tokens:  # fmt: skip
    """Return a page of tokens."""
    size = settings.limits.page_size
    rows = credentials.issued(store, before, size + 1)
    shown = [Token(**_facts(row)) for row in rows[:size]]
    return Tokens(tokens=shown, next=shown[-1].id if len(rows) > size else None)


@router.post("/tokens", status_code=201)
def issue_token(
    request: Request, response: Response, by: Administrator, settings: Settings, store: Store,
    now: Now, wanted: NewToken,
) -> IssuedToken:  # fmt: skip
    """Issue a token. Its text is in this answer only."""
    number, text = credentials.issue(
        store, audit.Note(now, by.who, address(request), "issue token"), settings.limits, by,
        wanted.role, wanted.days, wanted.team, wanted.round, wanted.note,
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return IssuedToken(**_facts(credentials.one(store, number)), token=text)


@router.delete("/tokens/{number}", status_code=204)
def revoke_token(
    request: Request, by: Administrator, store: Store, now: Now, number: Number
) -> None:  # fmt: skip
    """Take a token back, and with it the sessions that were made from it."""
    credentials.revoke(store, audit.Note(now, by.who, address(request), "revoke token"), number)


def _facts(row: Any) -> dict[str, Any]:
    times = ("created", "expires", "revoked", "last_used")
    return {**row._mapping, **{name: moments.text(getattr(row, name)) for name in times}}
