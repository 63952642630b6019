"""Records of a round's runs: published by its organisers, read after the reveal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.requests import Request

from seedlock.evaluation.rounds.formats import DRAW, OPENING, REVEAL
from seedlock.leaderboard import publication, tables
from seedlock.leaderboard.access import may_publish, may_see_record
from seedlock.leaderboard.api.asked import (
    NAME,
    AllRounds,
    Kept,
    KeptRound,
    SubmissionName,
    aside,
    body,
    cached,
)
from seedlock.leaderboard.api.rounds import Publication
from seedlock.leaderboard.dependencies import Now, Settings, SignedIn, Store, Visitor
from seedlock.leaderboard.kept_rounds import frozen, rounds_of
from seedlock.leaderboard.problems import Problem, not_allowed, not_found

router = APIRouter(tags=["records"])

RecordName = Annotated[str, InPath(pattern=rf"^{publication.RECORD.pattern}(\.sig)?$")]


class Lacking(BaseModel):
    """A record that the ledger names and the server does not have."""

    record: str
    sha256: str


class LackingRecords(BaseModel):
    """All of them."""

    records: list[Lacking]


class OneRecord(BaseModel, extra="forbid"):
    """A record that the ledger names; `text` encoded as UTF-8 is its bytes."""

    submission: Annotated[str, Field(pattern=NAME)]
    file: Annotated[str, Field(pattern=f"^{publication.RECORD.pattern}$")]
    text: str


class Batch(BaseModel, extra="forbid"):
    """Records that are published together. `more`: others follow, and scores wait for them."""

    records: Annotated[list[OneRecord], Field(min_length=1, max_length=1000)]
    more: bool = False


class BatchPublication(BaseModel):
    """What became of each record of a batch: `new` or `same`."""

    hows: list[str]
    revision: int


@router.get("/rounds/{name}/lacking-records")
def lacking(this: KeptRound, visitor: SignedIn) -> LackingRecords:
    """Return which records the ledger names and the server does not have."""
    if not may_publish(visitor, this.name):
        raise not_allowed("organisers of this round")
    named = publication.named_records(this.folder)
    return LackingRecords(records=[
        Lacking(record=path, sha256=sha256) for path, sha256 in sorted(named.items())
        if publication.RECORDS.fullmatch(path) and not (this.folder / path).is_file()
    ])  # fmt: skip


@router.put("/rounds/{name}/records/{submission}/{file}", openapi_extra={
    "requestBody": {"required": True, "content": {"application/json": {
        "schema": {"type": "object"}}}},
})  # fmt: skip
async def put_record(
    request: Request, this: KeptRound, submission: SubmissionName, file: RecordName,
    visitor: SignedIn, settings: Settings, now: Now, opened: AllRounds,
    more: Annotated[bool, Query()] = False,
) -> Publication:  # fmt: skip
    """Publish a record that the ledger names. `more`: others follow, and scores wait for them."""
    if not may_publish(visitor, this.name):
        raise not_allowed("organisers of this round")
    async with body(request, settings.limits.published) as upload:
        upload.file.flush()
        (how,), revision = await aside(request, lambda: opened.publish_records(
            this.name, {(submission, file): publication.bytes_of(upload.path)}, now, more
        ))  # fmt: skip
        return Publication(how=how, revision=revision, sha256=upload.sha256, size=upload.size)


@router.post("/rounds/{name}/records")
async def put_records(
    request: Request, this: KeptRound, visitor: SignedIn, now: Now, opened: AllRounds,
    of: Batch,
) -> BatchPublication:  # fmt: skip
    """Publish small records together, or none of them if one is refused."""
    if not may_publish(visitor, this.name):
        raise not_allowed("organisers of this round")
    # Half a character has some bytes too, which are those of no record in the ledger.
    records = {
        (each.submission, each.file): each.text.encode(errors="surrogatepass")
        for each in of.records
    }
    if len(records) != len(of.records):
        raise Problem(422, "a record is in it twice", allowed="each once", cure="send it once")
    hows, revision = await aside(
        request, lambda: opened.publish_records(this.name, records, now, of.more)
    )
    return BatchPublication(hows=hows, revision=revision)


@router.get("/rounds/{name}/records/{submission}/{file}", response_class=Response)
def get_record(
    this: KeptRound, submission: SubmissionName, file: RecordName, visitor: Visitor, store: Store
) -> Response:
    """Return a record: organisers at any time; after the reveal, of a public submission
    everybody, of a private one its team and reviewers."""
    entry = entry_of(this, submission)
    path = this.folder / publication.RUNS / submission / file
    if entry is None or not path.is_file():
        raise not_found("this round has no such record")
    team = team_of(store, this, entry["digest"])
    if not may_see_record(visitor, this.name, seeds_are_open(this), entry["visibility"], team):
        # Before the reveal it is no secret that there will be one.
        raise not_allowed("organisers; after the reveal who may see the submission")
    return FileResponse(path, media_type="application/json", headers={
        "Content-Disposition": f'attachment; filename="{submission}-{file}"',
        "Cache-Control": "no-cache",
    })  # fmt: skip


def entry_of(this: Kept, submission: str) -> dict[str, str] | None:
    """Return a frozen submission by its name, or None."""
    return next((each for each in frozen(this.folder) if each["name"] == submission), None)


def seeds_are_open(this: Kept) -> bool:
    """Return whether a round's seeds are public: revealed, or published with the draw."""
    if (this.folder / f"{REVEAL}.json").exists():
        return True
    policy = cached(rounds_of, this.folder / f"{OPENING}.json")
    return policy is not None and policy.published and (this.folder / f"{DRAW}.json").exists()


def team_of(store: Store, this: Kept, digest: str) -> int | None:
    """Return the team that handed a submission in here, by number; None where nobody did."""
    with store.read() as connection:
        found: Any = connection.execute(
            select(tables.Submission.team_id).where(
                tables.Submission.round_id == this.id, tables.Submission.digest == digest,
                tables.Submission.withdrawn.is_(None),
            ).limit(1)
        ).scalar()  # fmt: skip
    return None if found is None else int(found)
