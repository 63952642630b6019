"""Rounds and their published files, below /api/v1/rounds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel
from sqlalchemy import func, select
from starlette.requests import Request

from seedlock.evaluation.file_digests import digest_of
from seedlock.evaluation.rounds.formats import FREEZE, OPENING, STEPS
from seedlock.leaderboard import moments, publication, tables, withheld
from seedlock.leaderboard.access import may_list_submissions, may_publish
from seedlock.leaderboard.api.asked import (
    AllRounds,
    Kept,
    KeptRound,
    RoundName,
    aside,
    body,
    cached,
    noted,
)
from seedlock.leaderboard.dependencies import Now, Settings, SignedIn, Store, Visitor
from seedlock.leaderboard.file_cache import FileCache
from seedlock.leaderboard.kept_rounds import Published, frozen, rounds_of
from seedlock.leaderboard.problems import Problem, not_allowed, not_found
from seedlock.leaderboard.uploads import current

router = APIRouter(tags=["rounds"])

FileName = Annotated[str, InPath(pattern=r"^[a-z][a-z0-9.-]{0,39}$")]


class RoundShort(BaseModel):
    """A round in a list; moments are RFC 3339 in UTC."""

    name: str
    revision: int
    opened_here: str
    deadline: str | None
    steps: list[str]


class RoundList(BaseModel):
    """A page of rounds, the newest first."""

    rounds: list[RoundShort]
    page: int
    pages: int
    now: str


class PublishedFile(BaseModel):
    """A published file: its SHA-256 in hexadecimal and its bytes."""

    name: str
    sha256: str
    size: int


class RoundFull(BaseModel):
    """A round: its policy, its files, and what may be handed in."""

    name: str
    revision: int
    policy: dict[str, Any]
    policy_digest: str
    deadline: str | None
    now: str
    submissions_open: bool
    submissions: int | None
    files: list[PublishedFile]
    limits: dict[str, int]


class Publication(BaseModel):
    """What became of a file: `new`, `grown` or `same`. `left_out` and `not_handed_in`, after a
    freeze, name accepted uploads that are not in its list, and entries that nobody uploaded."""

    how: str
    revision: int
    sha256: str
    size: int
    left_out: list[str] = []
    not_handed_in: list[str] = []


digests = FileCache(lambda path: digest_of(path).digest.removeprefix("sha256:"), most=256)
"""SHA-256 of published files."""


@router.get("/rounds")
def rounds(
    settings: Settings, store: Store, now: Now, opened: AllRounds,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> RoundList:  # fmt: skip
    """Return the rounds of this server, the newest first."""
    size = settings.limits.page_size
    with store.read() as connection:
        count = connection.execute(select(func.count()).select_from(tables.Round)).scalar_one()
        rows = connection.execute(
            select(tables.Round).order_by(tables.Round.id.desc())
            .limit(size).offset((page - 1) * size)
        ).all()  # fmt: skip
    return RoundList(
        rounds=[
            RoundShort(
                name=row.name, revision=row.revision, opened_here=moments.stamp(row.created),
                deadline=moments.text(row.deadline),
                steps=[
                    step for step in STEPS
                    if (opened.folder(row.name) / f"{step}.json").exists()
                ],
            )
            for row in rows
        ],
        page=page, pages=max(1, -(-count // size)), now=moments.stamp(now),
    )  # fmt: skip


@router.get("/rounds/{name}")
def one_round(this: KeptRound, settings: Settings, now: Now) -> RoundFull:
    """Return a round's policy, published files and limits."""
    policy = cached(rounds_of, this.folder / f"{OPENING}.json")
    if policy is None:
        raise not_found("there is no such round")
    frozen_here = (this.folder / f"{FREEZE}.json").exists()
    limits = settings.limits
    return RoundFull(
        name=this.name, revision=this.revision, policy=policy.as_dict(),
        policy_digest=policy.digest,
        deadline=moments.text(this.deadline), now=moments.stamp(now),
        submissions_open=not frozen_here and (this.deadline is None or now <= this.deadline),
        submissions=len(frozen(this.folder)) if frozen_here else None,
        files=[
            PublishedFile(name=path.name, sha256=digests.get(path), size=path.stat().st_size)
            for path in publication.published(this.folder)
        ],
        limits={
            "upload": limits.upload, "published": limits.published,
            "submissions": limits.submissions, "team_bytes": limits.team_bytes,
        },
    )  # fmt: skip


@router.put("/rounds/{name}/files/{file}", openapi_extra={
    "requestBody": {"required": True, "content": {"application/octet-stream": {
        "schema": {"type": "string", "format": "binary"}}}},
})  # fmt: skip
async def put_file(
    request: Request, name: RoundName, file: FileName, visitor: SignedIn, settings: Settings,
    now: Now, opened: AllRounds,
) -> Publication:  # fmt: skip
    """Publish a file of a round; opening.json makes the round. Each once; the ledger may grow."""
    if not may_publish(visitor, name):
        raise not_allowed("organisers of this round")
    async with body(request, settings.limits.published) as upload:

        def publish() -> Publication:
            done = opened.publish(name, file, upload, now)
            noted(request, visitor, f"publish {file}", name, done.how)
            left_out, strangers = _held_against_uploads(request, opened, name, file)
            return _told(done, left_out, strangers)

        return await aside(request, publish)


@router.get("/rounds/{name}/files/{file}", response_class=Response)
def get_file(this: KeptRound, file: FileName, visitor: Visitor) -> Response:
    """Return a published file, as its organisers sent it."""
    path = this.folder / file
    if not publication.known_name(file) or not path.is_file():
        raise not_found("this round has no such file")
    refuse_withheld(this, file, may_list_submissions(visitor, this.name))
    kind = {"toml": "application/toml", "jsonl": "application/jsonl"}.get(
        file.rpartition(".")[2], "application/json"
    )
    return FileResponse(path, media_type=kind, headers={
        "Content-Disposition": f'attachment; filename="{this.name}-{file}"',
        "Cache-Control": "no-cache",
    })  # fmt: skip


def refuse_withheld(this: Kept, file: str, sees_all: bool) -> None:
    """Refuse a file that says why a private submission's runs failed to who may not know.

    Raises:
        Problem: 403.
    """
    if not sees_all and withheld.holds_private_reasons(this.folder, file):
        raise Problem(
            403, f"{file} says why runs of private submissions failed",
            allowed="organisers and reviewers", cure="GET …/ledger has the events without that, "
            "and POST …/verify looks at the file itself",
        )  # fmt: skip


def _told(done: Published, left_out: list[str], strangers: list[str]) -> Publication:
    return Publication(
        how=done.how, revision=done.revision, sha256=done.sha256, size=done.size,
        left_out=left_out, not_handed_in=strangers,
    )  # fmt: skip


def _held_against_uploads(
    request: Request, opened: AllRounds, name: str, file: str
) -> tuple[list[str], list[str]]:
    """Return which uploads a freeze leaves out, and which of its entries nobody uploaded."""
    if file != f"{FREEZE}.json":
        return [], []
    with request.app.state.database.read() as connection:
        here = {row.digest: row.name for row in current(connection, name)}
    listed = {each["digest"]: each["name"] for each in frozen(opened.folder(name))}
    left_out = sorted(here[each] for each in here.keys() - listed.keys())
    return left_out, sorted(listed[each] for each in listed.keys() - here.keys())
