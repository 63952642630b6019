"""POST signed-records: what authors trained themselves, with their signature."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request

from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import moments, publication, signed_records, uploads
from seedlock.leaderboard.access import may_list_submissions, may_submit
from seedlock.leaderboard.api.asked import (
    AllRounds,
    Files,
    Kept,
    KeptRound,
    aside,
    body,
    note,
    paged,
)
from seedlock.leaderboard.api.rounds import digests
from seedlock.leaderboard.dependencies import Now, Settings, SignedIn, Store
from seedlock.leaderboard.intake import Refused
from seedlock.leaderboard.kept_rounds import frozen
from seedlock.leaderboard.problems import not_allowed
from seedlock.leaderboard.signed_records import Signed, seen_before
from seedlock.leaderboard.store import Upload
from seedlock.leaderboard.tables import SignedRecord, Team

router = APIRouter(tags=["records"])

LONGEST = 8192
"""Characters of a signature in base64."""


class Taken(BaseModel):
    """A record that the server has."""

    round: str
    revision: int
    submission: str
    seed_index: int
    record: str
    sha256: str


@router.post("/rounds/{name}/signed-records", status_code=201, openapi_extra={
    "requestBody": {"required": True, "content": {"application/json": {
        "schema": {"type": "object"}}}},
})  # fmt: skip
async def send(
    request: Request, this: KeptRound, visitor: SignedIn, settings: Settings, store: Store,
    files: Files, opened: AllRounds, now: Now,
    record_signature: Annotated[str, Header(max_length=LONGEST)],
) -> Taken:  # fmt: skip
    """Send a record, and in the header Record-Signature its RECORD.sig in base64."""
    if not may_submit(visitor, this.name) or visitor.team_id is None:
        raise not_allowed("authors, for their team and this round")
    async with body(request, settings.limits.published) as upload:

        def take() -> Taken:
            team = visitor.team_id
            with store.read() as connection:
                rows = [
                    row for row in uploads.current(connection, this.name) if row.team_id == team
                ]
            found, archive_sha256 = _looked_at(this, files, upload, record_signature, rows)
            signed_records.refuse_other_key(files, archive_sha256, found[1])
            signed = found[0]
            with opened.alone(this.name):
                _keep(this, opened, upload, record_signature, signed)
            row = {
                "round_id": this.id, "record_sha256": signed.sha256, "team_id": team,
                "submission_digest": signed.submission["digest"], "received": now,
            }  # fmt: skip
            name = f"{this.name} {signed.submission['name']} seed index {signed.seed_index}"
            try:
                with store.write() as connection:
                    connection.execute(insert(SignedRecord).values(**row))
                    note(request, visitor, "send signed record").write(connection, name, "done")
            except IntegrityError:
                raise seen_before() from None
            revision = opened.refresh(this.name, now)
            place = f"{publication.RUNS}/{signed.submission['name']}/{signed.seed_index}-1.json"
            return Taken(
                round=this.name, revision=revision, submission=signed.submission["name"],
                seed_index=signed.seed_index, record=place, sha256=signed.sha256,
            )  # fmt: skip

        def refuse_seen() -> None:
            with store.read() as connection:
                asked = select(SignedRecord.id).where(SignedRecord.record_sha256 == upload.sha256)
                if connection.execute(asked).scalar() is not None:
                    raise seen_before()

        await aside(request, refuse_seen)
        return await aside(request, take)


class Received(BaseModel):
    """A record that was sent: where `GET …/records/…` has it, and its signature with `.sig`."""

    submission: str
    seed_index: int
    record: str
    sha256: str
    team: str
    received: str


class ReceivedList(BaseModel):
    """A page of them, the first ones first."""

    records: list[Received]
    page: int
    pages: int


@router.get("/rounds/{name}/signed-records")
def sent(
    this: KeptRound, visitor: SignedIn, settings: Settings, store: Store,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> ReceivedList:  # fmt: skip
    """Return which records were sent: authors see their team's, organisers and reviewers all."""
    everything = may_list_submissions(visitor, this.name)
    if not everything and not may_submit(visitor, this.name):
        raise not_allowed("authors, organisers and reviewers of this round")
    asked = (
        select(SignedRecord, Team.name.label("team"))
        .join(Team, Team.id == SignedRecord.team_id)
        .where(SignedRecord.round_id == this.id)
        .order_by(SignedRecord.id)
    )  # fmt: skip
    if not everything:
        asked = asked.where(SignedRecord.team_id == visitor.team_id)
    with store.read() as connection:
        rows = {f"{row.record_sha256}": row for row in connection.execute(asked).all()}
    found = [
        Received(
            submission=entry["name"], seed_index=int(path.name.partition("-")[0]),
            record=f"{publication.RUNS}/{entry['name']}/{path.name}", sha256=sha256,
            team=rows[sha256].team, received=moments.stamp(rows[sha256].received),
        )
        for entry in frozen(this.folder)
        for path in sorted((this.folder / publication.RUNS / entry["name"]).glob("*-1.json"))
        for sha256 in (digests.get(path),) if sha256 in rows
    ]  # fmt: skip
    here, pages = paged(found, page, settings.limits.page_size)
    return ReceivedList(records=here, page=page, pages=pages)


def _looked_at(
    this: Kept, files: Files, upload: Upload, text: str, rows: list[Any]
) -> tuple[tuple[Signed, str], str]:
    """Return what a record is of with the key that signed it, and the archive of its submission.

    Raises:
        Refused: it is not one of this round's, or not of this team.
    """
    mine = {row.digest: row.archive_sha256 for row in rows}
    entries = [each for each in frozen(this.folder) if each["digest"] in mine]
    upload.file.flush()
    with files.workplace() as folder:
        folder.mkdir(mode=0o700)
        path = folder / "record.json"
        path.hardlink_to(upload.path)
        path.with_name("record.json.sig").write_bytes(_decoded(text))
        found = signed_records.looked_at(Round(this.folder), path, entries)
    return found, mine[found[0].submission["digest"]]


def _keep(this: Kept, opened: AllRounds, upload: Upload, text: str, signed: Signed) -> None:
    """Bring record and signature to their places; the record last, which makes them count.

    Raises:
        Refused: another record for this seed is there.
    """
    place = opened.place(this.folder, signed.submission["name"])
    path = place / f"{signed.seed_index}-1.json"
    if path.exists():
        if path.read_bytes() == upload.path.read_bytes():
            return  # of a server that was killed before it wrote the row
        raise seen_before(f"a record for seed index {signed.seed_index} was taken before")
    with opened.files.upload(LONGEST) as beside:
        beside.write(_decoded(text))
        beside.move(path.with_name(f"{path.name}.sig"))
    try:
        upload.move(path, over=False)
    except FileExistsError:
        raise seen_before(f"a record for seed index {signed.seed_index} was taken before") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(
            422, "Record-Signature is no base64", "RECORD.sig in base64", "send it again"
        ) from None
