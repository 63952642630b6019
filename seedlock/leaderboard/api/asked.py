"""What the routes of rounds ask for: the round, its folder, a body as a file, and refusals."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import anyio
from fastapi import Depends
from fastapi import Path as InPath
from sqlalchemy import select
from starlette.requests import Request

from seedlock.errors import BadBeacon, BadPolicy, BadRecord, BadRound, BadSetting, BadSignature
from seedlock.evaluation.rounds.policy import NAMES
from seedlock.leaderboard import audit, tables
from seedlock.leaderboard.access import Viewer
from seedlock.leaderboard.dependencies import database, now
from seedlock.leaderboard.file_cache import FileCache
from seedlock.leaderboard.intake import Refused
from seedlock.leaderboard.kept_rounds import Rounds
from seedlock.leaderboard.problems import Problem, not_found
from seedlock.leaderboard.publication import AlreadyThere
from seedlock.leaderboard.rate_limits import address
from seedlock.leaderboard.store import Store, TooLarge, Upload

NAME = f"^{NAMES.pattern}$"
"""Of rounds and submissions, as a policy has it."""

RoundName = Annotated[str, InPath(pattern=NAME)]
SubmissionName = RoundName
Digest = Annotated[str, InPath(pattern=r"^sha256:[0-9a-f]{64}$")]

AT_ONCE = 2
"""Bodies that are looked at together: each may take a processor and a gigabyte of disk."""

WORKPLACE = re.compile(r"[^ ']*/tmp/[0-9a-f]{32}/?")
"""Paths of the server's own, which are no visitor's business."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Kept:
    """A round of this server.

    Attributes:
        id, name, revision, deadline: of its row; the deadline in milliseconds since 1970.
        folder: with its published files.
    """

    id: int
    name: str
    revision: int
    deadline: int | None
    folder: Path


async def rounds(request: Request) -> Rounds:
    """Return the server's rounds; a coroutine, since one takes no thread."""
    return _rounds(request)


def _rounds(request: Request) -> Rounds:
    return cast("Rounds", request.app.state.rounds)


def store(request: Request) -> Store:
    """Return the server's files."""
    return cast("Store", request.app.state.files)


def kept(request: Request, name: RoundName) -> Kept:
    """Return the round in the address.

    Raises:
        Problem: 404, there is none.
    """
    with database(request).read() as connection:
        row = connection.execute(
            select(tables.Round).where(tables.Round.name == name)
        ).one_or_none()  # fmt: skip
    if row is None:
        raise not_found("there is no such round")
    return Kept(row.id, row.name, row.revision, row.deadline, _rounds(request).folder(name))


KeptRound = Annotated[Kept, Depends(kept)]
AllRounds = Annotated[Rounds, Depends(rounds)]
Files = Annotated[Store, Depends(store)]


@asynccontextmanager
async def body(request: Request, most: int) -> AsyncIterator[Upload]:
    """Give a request's body as a file, which is gone afterwards unless it was kept.

    Args:
        request: whose body was not read.
        most: bytes that it may have.

    Raises:
        Problem: 413, it has more; 400, the connection was lost, or it is shorter than announced.
    """
    told = request.headers.get("content-length")
    if told is not None and told.isdecimal() and int(told) > most:
        raise _too_large(most)
    with store(request).upload(most) as upload:
        try:
            async for chunk in request.stream():
                upload.write(chunk)
        except TooLarge:
            raise _too_large(most) from None
        if told is not None and told != str(upload.size):
            raise Problem(400, "the body is shorter than its Content-Length", cure="say it again")
        if upload.size == 0:
            raise Problem(400, "there is no body", allowed="the bytes of a file",
                          cure="send it as the request's body")  # fmt: skip
        yield upload


async def aside(request: Request, work: Callable[[], Found]) -> Found:
    """Do what takes long in a thread, few at a time, so that pages go on being served.

    Raises:
        Problem: what was sent is refused, or can't be.
    """
    state = request.app.state
    if getattr(state, "looking", None) is None:
        state.looking = anyio.CapacityLimiter(AT_ONCE)
    return await anyio.to_thread.run_sync(lambda: told(work), limiter=state.looking)


def told(work: Callable[[], Found]) -> Found:
    """Return what work comes to, and turn its refusals into answers.

    Raises:
        Problem: it was refused.
    """
    try:
        return work()
    except Refused as problem:
        raise Problem(
            problem.status, WORKPLACE.sub("", problem.what), allowed=problem.allowed,
            cure=problem.cure, errors=list(problem.errors) or None,
        ) from problem  # fmt: skip
    except (BadRound, BadPolicy, BadBeacon, BadRecord, BadSetting, BadSignature) as problem:
        said = WORKPLACE.sub("", str(problem.args[0]))
        what, _, allowed = said.partition("; allowed: ")
        status = 409 if isinstance(problem, AlreadyThere) else 422
        raise Problem(status, what, allowed=allowed or None) from problem


def note(request: Request, visitor: Viewer, what: str) -> audit.Note:
    """Return the first half of a row of the audit's."""
    return audit.Note(now(request), visitor.who, address(request), what)


def noted(request: Request, visitor: Viewer, what: str, on: str, outcome: str = "done") -> None:
    """Add a row to the audit's for what no other transaction tells of."""
    with database(request).write() as connection:
        note(request, visitor, what).write(connection, on, outcome)


def cached(cache: FileCache[Found], path: Path) -> Found | None:
    """Return what a file holds; None where it is not there."""
    return cache.get(path) if path.exists() else None


def paged(rows: list[Any], page: int, size: int) -> tuple[list[Any], int]:
    """Return one page of rows, the first being 1, and the number of pages, at least 1."""
    pages = max(1, -(-len(rows) // size))
    return rows[(page - 1) * size : page * size], pages


def _too_large(most: int) -> Problem:
    return Problem(413, f"the body has more than {most} bytes", allowed=f"{most} bytes",
                   cure="send less")  # fmt: skip
