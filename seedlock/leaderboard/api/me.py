"""GET /api/v1/me: what the token that one has allows."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from seedlock.leaderboard.dependencies import SignedIn

router = APIRouter(tags=["tokens"])


class Me(BaseModel):
    """Who asks."""

    role: str
    team: str | None
    round: str | None
    token: int


@router.get("/me")
def me(visitor: SignedIn) -> Me:
    """Return the role of the token, its team, and the round it is good for."""
    assert visitor.token_id is not None
    return Me(role=visitor.role, team=visitor.team, round=visitor.round, token=visitor.token_id)
