"""What replays of a round's records came to, told by organisers and reviewers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import insert, select
from starlette.requests import Request

from seedlock.leaderboard import moments
from seedlock.leaderboard.access import may_replay
from seedlock.leaderboard.api.asked import NAME, AllRounds, KeptRound, note, paged
from seedlock.leaderboard.api.board import standings
from seedlock.leaderboard.dependencies import Now, Settings, SignedIn, Store
from seedlock.leaderboard.kept_rounds import DIFFERENT, IDENTICAL, WITHIN
from seedlock.leaderboard.problems import Problem, not_allowed, not_found
from seedlock.leaderboard.tables import Replay

router = APIRouter(tags=["replays"])

VERDICTS = {"IDENTICAL": IDENTICAL, "WITHIN TOLERANCE": WITHIN, "DIFFERENT": DIFFERENT}
"""From the words of `seedlock replay --json` to those of rows."""


class Told(BaseModel):
    """A replay's result. `verdict` is that of `seedlock replay --json`; `record_sha256` is of the
    record that was replayed, hexadecimal."""

    submission: Annotated[str, Field(pattern=NAME)]
    seed_index: Annotated[int, Field(ge=0, lt=10_000)]
    verdict: Literal["IDENTICAL", "WITHIN TOLERANCE", "DIFFERENT"]
    record_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class OneReplay(BaseModel):
    """A replay as the server has it."""

    number: int
    submission: str
    seed_index: int
    verdict: str
    record_sha256: str
    received: str


class Replays(BaseModel):
    """A page of replays, the first ones first."""

    replays: list[OneReplay]
    page: int
    pages: int


@router.post("/rounds/{name}/replays", status_code=201)
def tell(
    request: Request, this: KeptRound, visitor: SignedIn, store: Store, opened: AllRounds, now: Now,
    of: Told,
) -> OneReplay:  # fmt: skip
    """Tell what a replay came to. It must be of the record that the round published."""
    if not may_replay(visitor, this.name):
        raise not_allowed("organisers and reviewers of this round")
    entry = next(
        (each for each in standings(this)["submissions"] if each["name"] == of.submission), None
    )
    if entry is None:
        raise not_found("this round has no such submission")
    run = next((each for each in entry["runs"] if each["seed_index"] == of.seed_index), None)
    known = None if run is None else run["record_sha256"]
    if known is None or str(known).removeprefix("sha256:") != of.record_sha256:
        raise Problem(
            422, "this is not the record that the round published for that seed",
            given=of.record_sha256, allowed="the record's own SHA-256",
            cure="replay the published record",
        )  # fmt: skip
    row = {
        "round_id": this.id, "submission_digest": entry["digest"], "seed_index": of.seed_index,
        "verdict": VERDICTS[of.verdict], "record_sha256": of.record_sha256,
        "token_id": visitor.token_id, "received": now,
    }  # fmt: skip
    with store.write() as connection:
        done = connection.execute(insert(Replay).values(**row))
        (number,) = done.inserted_primary_key or (0,)
        about = f"{this.name} {of.submission} seed index {of.seed_index}"
        note(request, visitor, "tell replay").write(connection, about, VERDICTS[of.verdict])
    opened.refresh(this.name, now)
    return OneReplay(
        number=number, submission=of.submission, seed_index=of.seed_index,
        verdict=VERDICTS[of.verdict], record_sha256=of.record_sha256, received=moments.stamp(now),
    )  # fmt: skip


@router.get("/rounds/{name}/replays")
def replays(
    this: KeptRound, settings: Settings, store: Store,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Replays:  # fmt: skip
    """Return which records were replayed, and what it came to."""
    names = {each["digest"]: each["name"] for each in standings(this)["submissions"]}
    with store.read() as connection:
        rows = connection.execute(
            select(Replay).where(Replay.round_id == this.id).order_by(Replay.id)
        ).all()
    here, pages = paged(list(rows), page, settings.limits.page_size)
    return Replays(
        replays=[
            OneReplay(
                number=row.id, submission=names.get(row.submission_digest, ""),
                seed_index=row.seed_index, verdict=row.verdict, record_sha256=row.record_sha256,
                received=moments.stamp(row.received),
            )
            for row in here
        ],
        page=page, pages=pages,
    )  # fmt: skip
