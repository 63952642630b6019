"""Versions of the base image that rounds were, or are, run in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request

from seedlock.leaderboard import moments
from seedlock.leaderboard.api.asked import note
from seedlock.leaderboard.dependencies import Administrator, Now, Settings, Store
from seedlock.leaderboard.problems import Problem
from seedlock.leaderboard.tables import Image

router = APIRouter(tags=["images"])

Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class NewImage(BaseModel, extra="forbid"):
    """A version of an image: digest of the image, of its lock, and of its bill of materials."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/-]{0,199}$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    digest: Sha256
    lock: Sha256
    manifest_sha256: Sha256 | None = None


class OneImage(NewImage):
    """A version as the server has it."""

    published: str


class Images(BaseModel):
    """A page of versions, the newest first."""

    images: list[OneImage]
    page: int
    pages: int


@router.get("/images")
def images(
    settings: Settings, store: Store, page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
) -> Images:
    """Return the published versions of images."""
    size = settings.limits.page_size
    with store.read() as connection:
        count = connection.execute(select(func.count()).select_from(Image)).scalar_one()
        rows = connection.execute(
            select(Image).order_by(Image.id.desc()).limit(size).offset((page - 1) * size)
        ).all()
    return Images(
        images=[
            OneImage(
                name=row.name, version=row.version, digest=row.digest, lock=row.lock,
                manifest_sha256=row.manifest_sha256, published=moments.stamp(row.published),
            )
            for row in rows
        ],
        page=page, pages=max(1, -(-count // size)),
    )  # fmt: skip


@router.post("/images", status_code=201)
def publish(
    request: Request, by: Administrator, store: Store, now: Now, of: NewImage
) -> OneImage:  # fmt: skip
    """Publish a version of an image, once."""
    try:
        with store.write() as connection:
            connection.execute(insert(Image).values(**of.model_dump(), published=now))
            note(request, by, "publish image").write(
                connection, f"{of.name} {of.version} {of.digest}", "done"
            )
    except IntegrityError:
        raise Problem(
            409, "this version is published already", given=f"{of.name} {of.version}",
            allowed="each version once", cure="give a new image a new version",
        ) from None  # fmt: skip
    return OneImage(**of.model_dump(), published=moments.stamp(now))
