"""What authors hand in, below /api/v1/rounds/NAME."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel
from sqlalchemy import Connection, select
from starlette.requests import Request

from seedlock.evaluation.rounds.formats import OPENING
from seedlock.leaderboard import intake, moments, uploads
from seedlock.leaderboard.access import (
    Viewer,
    may_list_submissions,
    may_see_archive,
    may_submit,
    may_withdraw,
)
from seedlock.leaderboard.api.asked import (
    Files,
    Kept,
    KeptRound,
    aside,
    body,
    cached,
    note,
    noted,
    paged,
    told,
)
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.dependencies import Now, Settings, SignedIn, Store, now
from seedlock.leaderboard.kept_rounds import rounds_of
from seedlock.leaderboard.problems import Problem, not_allowed, not_found
from seedlock.leaderboard.tables import Submission
from seedlock.leaderboard.uploads import Accepted, Author

router = APIRouter(tags=["submissions"])

GZIP = ("application/gzip", "application/x-gzip", "application/octet-stream")

Number = Annotated[int, InPath(ge=1, le=2**53)]


class Receipt(BaseModel):
    """What the server has, once it is safe on its disk."""

    round: str
    number: int
    name: str
    digest: str
    visibility: str
    archive_sha256: str
    size: int
    uploaded: str
    deadline: str | None
    already: bool
    replaces: str | None
    uploads_left: int


class Uploaded(BaseModel):
    """An upload; `counts`: it is the last of its name, and was not withdrawn."""

    number: int
    name: str
    team: str
    digest: str
    visibility: str
    archive_sha256: str
    size: int
    uploaded: str
    withdrawn: str | None
    counts: bool


class UploadList(BaseModel):
    """A page of uploads, the first ones first."""

    uploads: list[Uploaded]
    page: int
    pages: int


@router.post("/rounds/{name}/submissions", status_code=201, openapi_extra={
    "requestBody": {"required": True, "content": {"application/gzip": {
        "schema": {"type": "string", "format": "binary"}}}},
})  # fmt: skip
async def hand_in(
    request: Request, response: Response, this: KeptRound, visitor: SignedIn, settings: Settings,
    digest: Annotated[str | None, Query(pattern=r"^sha256:[0-9a-f]{64}$")] = None,
) -> Receipt:  # fmt: skip
    """Hand a submission in: the archive that seedlock submit makes. 201: it is safe on the disk;
    200: the server had this very one. The last of a name counts."""
    author = author_of(visitor, this)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in GZIP:
        raise Problem(415, "a submission is sent as one archive", given=kind or "no Content-Type",
                      allowed=GZIP[0], cure="say seedlock submit")  # fmt: skip

    size = int(request.headers.get("content-length", "0") or 0)
    await aside(
        request, lambda: told_and_noted(
            request, visitor, this, lambda: refuse_early(request, this, author, size)
        )
    )  # fmt: skip
    async with body(request, settings.limits.upload) as upload:
        accepted = await aside(
            request, lambda: told_and_noted(
                request, visitor, this, lambda: take(request, this, author, upload, digest)
            )
        )  # fmt: skip
    if accepted.already:
        response.status_code = 200
    return Receipt(
        round=this.name, number=accepted.number, name=accepted.name, digest=accepted.digest,
        visibility=accepted.visibility, archive_sha256=accepted.archive_sha256,
        size=accepted.size, uploaded=moments.stamp(accepted.uploaded),
        deadline=moments.text(this.deadline), already=accepted.already,
        replaces=accepted.replaces, uploads_left=accepted.left,
    )  # fmt: skip


def author_of(visitor: Viewer, this: Kept) -> Author:
    """Return who hands in.

    Raises:
        Problem: 403, it is no author's token for this round.
    """
    if not may_submit(visitor, this.name) or visitor.team_id is None or visitor.team is None:
        raise not_allowed("authors, for their team and this round")
    return Author(visitor.team_id, visitor.team)


def refuse_early(request: Request, this: Kept, author: Author, size: int) -> None:
    """Refuse what can be known before an archive has come, or was looked at.

    Raises:
        intake.Refused: it is too late, or over the quota.
    """
    state = request.app.state
    uploads.refuse_closed(this.folder, this.deadline, now(request))
    with state.database.read() as connection:
        uploads.refuse_quota(connection, this.id, author, state.configuration.limits, size)


def take(request: Request, this: Kept, author: Author, upload: Any, digest: str | None) -> Accepted:
    """Look at an upload and accept it; shared by the interface and the pages.

    Args:
        request: brings database, settings and clock.
        this: the round.
        author: who hands in.
        upload: whole.
        digest: that the author's machine came to, or None.

    Raises:
        intake.Refused: it is not taken; nothing was kept.
        OSError: it can't be written.
    """
    state = request.app.state
    policy = cached(rounds_of, this.folder / f"{OPENING}.json")
    if policy is None:
        raise intake.Refused(409, "the round is not open", "an open round", "ask the organisers")
    looked = intake.looked_at(state.files, upload, policy, digest)
    visitor = request.state.viewer

    def row(connection: Connection, on: str) -> None:
        note(request, visitor, "hand in").write(connection, f"{this.name} {on}", "done")

    return uploads.accept(
        state.database, this, author, looked, upload, state.configuration.limits,
        lambda: now(request),
        lambda moment: uploads.refuse_closed(this.folder, this.deadline, moment), row,
    )  # fmt: skip


def told_and_noted(request: Request, visitor: Viewer, this: Kept, work: Any) -> Any:
    """Do something and note in the audit's log if it is refused.

    Raises:
        Problem: it was refused.
    """
    try:
        return told(work)
    except Problem as problem:
        noted(request, visitor, "hand in", this.name, f"refused: {problem.document.detail}")
        raise


@router.get("/rounds/{name}/submissions")
def handed_in(
    this: KeptRound, visitor: SignedIn, settings: Settings, store: Store,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> UploadList:  # fmt: skip
    """Return uploads: authors see their team's, organisers and reviewers all."""
    everything = may_list_submissions(visitor, this.name)
    if not everything and not may_submit(visitor, this.name):
        raise not_allowed("authors, organisers and reviewers of this round")
    with store.read() as connection:
        rows, counting = uploads.listed(connection, this, None if everything else visitor.team_id)
    here, pages = paged(rows, page, settings.limits.page_size)
    return UploadList(
        uploads=[
            Uploaded(
                number=row.id, name=row.name, team=row.team, digest=row.digest,
                visibility=row.visibility, archive_sha256=row.archive_sha256, size=row.size,
                uploaded=moments.stamp(row.uploaded), withdrawn=moments.text(row.withdrawn),
                counts=row.id in counting,
            )
            for row in here
        ],
        page=page, pages=pages,
    )  # fmt: skip


@router.get("/rounds/{name}/uploads/{number}/archive", response_class=Response)
def archive(
    this: KeptRound, number: Number, visitor: SignedIn, store: Store, files: Files
) -> Response:
    """Return an upload as it came: its team, organisers and reviewers."""
    row = _row(this, number, store)
    # Who may not see it is not told that it is there.
    if row is None or not may_see_archive(visitor, this.name, row.team_id):
        raise not_found("there is no such upload")
    path = files.place(row.archive_sha256)
    if row.withdrawn is not None or not path.is_file():
        raise Problem(410, "this upload was withdrawn")
    return FileResponse(path, media_type="application/gzip", headers={
        "Content-Disposition": f'attachment; filename="{this.name}-{row.name}.tar.gz"',
    })  # fmt: skip


@router.delete("/rounds/{name}/uploads/{number}", status_code=204, response_class=Response)
def withdraw(
    request: Request, this: KeptRound, number: Number, visitor: SignedIn, store: Store, moment: Now
) -> None:
    """Take an upload back, before the deadline; the one before it counts again."""
    take_back(request, this, number, visitor, store, moment)


def take_back(
    request: Request, this: Kept, number: int, visitor: Viewer, store: Database, moment: int
) -> None:
    """Withdraw an upload; shared by the interface and the pages.

    Raises:
        Problem: there is none of this team's, it is too late, or it was withdrawn before.
    """
    row = _row(this, number, store)
    if row is None or not may_withdraw(visitor, this.name, row.team_id):
        raise not_found("there is no such upload")
    told(lambda: uploads.refuse_closed(this.folder, this.deadline, moment))
    with store.write() as connection:
        if not uploads.withdraw(connection, number, moment):
            raise Problem(410, "this upload was withdrawn")
        note(request, visitor, "withdraw").write(
            connection, f"{this.name} {row.name} {row.digest}", "done"
        )


def _row(this: Kept, number: int, store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(
            select(Submission).where(Submission.round_id == this.id, Submission.id == number)
        ).one_or_none()
