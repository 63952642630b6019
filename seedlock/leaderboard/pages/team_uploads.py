"""What a team handed in for a round: its list, the form for another one, and taking one back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from seedlock.leaderboard import moments, uploads
from seedlock.leaderboard.access import may_list_submissions, may_submit
from seedlock.leaderboard.api import submissions
from seedlock.leaderboard.api.asked import Files, KeptRound, aside, paged
from seedlock.leaderboard.dependencies import Now, Settings, SignedIn, Store, Visitor
from seedlock.leaderboard.forms import file, form
from seedlock.leaderboard.intake import Refused
from seedlock.leaderboard.links import ServerLinks
from seedlock.leaderboard.pages import opened
from seedlock.leaderboard.pages.showing import page
from seedlock.leaderboard.pages.sign_in import SEE_OTHER
from seedlock.leaderboard.problems import Problem, not_allowed
from seedlock.leaderboard.store import TooLarge

if TYPE_CHECKING:
    from typing import BinaryIO

    from seedlock.leaderboard.store import Upload

router = APIRouter()

LINKS = ServerLinks()

ARCHIVE, DIGEST = "archive", "digest"
"""Fields of the form."""

A_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

CHUNK = 1 << 20

LARGEST = 2**53

Number = Annotated[int, Path(ge=1, le=LARGEST)]


@router.get("/rounds/{name}/uploads")
def shown(
    request: Request, this: KeptRound, visitor: Visitor, settings: Settings, store: Store, now: Now,
    taken: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:  # fmt: skip
    """Show a team its uploads of a round, and organisers and reviewers all of them."""
    if not visitor.signed_in:
        return RedirectResponse("/sign-in", SEE_OTHER)
    author, everything = may_submit(visitor, this.name), may_list_submissions(visitor, this.name)
    if not author and not everything:
        raise not_allowed("authors, organisers and reviewers of this round")
    with store.read() as connection:
        rows, counting = uploads.listed(connection, this, None if everything else visitor.team_id)
    why = ""
    try:
        uploads.refuse_closed(this.folder, this.deadline, now)
    except Refused as problem:
        why = problem.what
    here, pages = paged(rows[::-1], number, settings.limits.page_size)
    address = LINKS.uploads(this.name)
    return page(
        request, "uploads.html", round=this.name, state=opened.load(this.folder, now).state,
        author=author, closed=why, deadline=moments.text(this.deadline), rows=here,
        counting=counting, taken=next((row for row in rows if row.id == taken), None),
        left=settings.limits.submissions - len(rows), most=settings.limits.upload,
        stamp=moments.stamp, here=number,
        pagers=[(each, f"{address}?page={each}") for each in range(1, pages + 1)],
    )  # fmt: skip


@router.post("/rounds/{name}/uploads")
async def hand_in(
    request: Request, this: KeptRound, visitor: SignedIn, settings: Settings, files: Files
) -> Response:
    """Hand a submission in by the form; as the interface takes it, with the same refusals."""
    # Read before, by forms.protected.
    digest = (await form(request)).get(DIGEST, "").strip() or None
    try:
        author = submissions.author_of(visitor, this)
        sent = await file(request, ARCHIVE)
        if digest is not None and not A_DIGEST.fullmatch(digest):
            raise Problem(422, "this is no digest", given=digest,
                          allowed="sha256: and 64 hexadecimal digits, or nothing",
                          cure="copy it from seedlock check or seedlock submit")  # fmt: skip

        def work() -> uploads.Accepted:
            submissions.refuse_early(request, this, author, sent.size or 0)
            with files.upload(settings.limits.upload) as upload:
                _copy(sent.file, upload, settings.limits.upload)
                return submissions.take(request, this, author, upload, digest)

        accepted = await aside(
            request, lambda: submissions.told_and_noted(request, visitor, this, work)
        )
    finally:
        await request.close()
    return RedirectResponse(f"{LINKS.uploads(this.name)}?taken={accepted.number}", SEE_OTHER)


def _copy(sent: BinaryIO, upload: Upload, most: int) -> None:
    sent.seek(0)
    try:
        while data := sent.read(CHUNK):
            upload.write(data)
    except TooLarge:
        raise Problem(413, f"the archive has more than {most} bytes", allowed=f"{most} bytes",
                      cure="leave out what is no source") from None  # fmt: skip


@router.post("/rounds/{name}/uploads/{number}/withdraw")
def withdraw(
    request: Request, this: KeptRound, number: Number, visitor: SignedIn, store: Store, now: Now
) -> Response:
    """Take an upload back, before the deadline."""
    submissions.take_back(request, this, number, visitor, store, now)
    return RedirectResponse(LINKS.uploads(this.name), SEE_OTHER)
