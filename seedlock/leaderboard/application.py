"""The application: settings, database and routes put together."""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles

import seedlock
from seedlock.errors import BadServer, printable
from seedlock.evaluation import full_disk
from seedlock.leaderboard import (
    entrance,
    forms,
    head_requests,
    headers,
    problems,
    rate_limits,
    uploads,
)
from seedlock.leaderboard.api import (
    audit,
    board,
    images,
    me,
    proofs,
    records,
    replays,
    rounds,
    signed_records,
    strict_json,
    submissions,
    teams,
    tokens,
)
from seedlock.leaderboard.database import Database
from seedlock.leaderboard.kept_rounds import Rounds
from seedlock.leaderboard.pages import (
    account,
    administration,
    downloads,
    first,
    public,
    sign_in,
    team_uploads,
)
from seedlock.leaderboard.pages.page_cache import PageCache
from seedlock.leaderboard.pages.showing import error_page
from seedlock.leaderboard.store import Store
from seedlock.leaderboard.verifying import Verifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from seedlock.leaderboard.configuration import Configuration

API = "/api/v1"

API_ROUTERS = (
    audit.router, me.router, teams.router, tokens.router,
    rounds.router, records.router, submissions.router, board.router, proofs.router,
    signed_records.router, replays.router, images.router,
)  # fmt: skip

PAGE_ROUTERS = (
    account.router, administration.router, first.router, sign_in.router, downloads.router,
    public.router, team_uploads.router,
)  # fmt: skip

BEARER = HTTPBearer(auto_error=False, description="A token that an organiser issued.")
"""For the OpenAPI document; dependencies.viewer reads the token."""

ROUNDS, FILES, TEMPORARY = "rounds", "files", "tmp"
"""Folders below the server's: published rounds, archives, uploads under way."""


def create(configuration: Configuration, clock: Callable[[], float] = time.time) -> FastAPI:
    """Return the application; its folder and tables are made where there are none.

    Args:
        configuration: what it was started with.
        clock: the server's time in seconds since 1970, by which deadlines and tokens end.

    Raises:
        BadServer: the folder can't be made or written, or the database is something else's.
        DatabaseUnavailable: the database does not answer.
        OSError: the disk is full.
    """
    prepare(configuration.folder)
    _empty(configuration.folder / TEMPORARY)
    database = Database(configuration.folder, configuration.database)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    app = FastAPI(
        title="seedlock leaderboard", version=seedlock.__version__, lifespan=life,
        description="Rounds, submissions and results. Errors are application/problem+json.",
        openapi_url=f"{API}/openapi.json", docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.configuration = configuration
    app.state.database = database
    app.state.clock = clock
    app.state.files = Store(configuration.folder)
    app.state.rounds = Rounds(configuration.folder, database, app.state.files)
    app.state.verifier = Verifier()
    app.state.rounds.freshen(int(clock() * 1000))
    uploads.forget_withdrawn(database, app.state.files)
    app.state.page_cache = PageCache()
    app.state.rate_limits = rate_limits.RateLimits(configuration.limits, clock)
    for router in API_ROUTERS:
        app.include_router(
            router, prefix=API, responses=problems.RESPONSES,
            dependencies=[Depends(BEARER), Depends(strict_json.required)],
        )  # fmt: skip
    for router in PAGE_ROUTERS:
        app.include_router(router, include_in_schema=False, dependencies=[Depends(forms.protected)])
    static = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
    app.mount("/static", StaticFiles(directory=static), name="static")
    problems.add(app, error_page)
    app.add_middleware(entrance.Entrance, configuration=configuration)
    app.add_middleware(headers.SecurityHeaders, secure=configuration.secure)
    app.add_middleware(head_requests.HeadAsGet)
    return app


def prepare(folder: Path) -> None:
    """Make the server's folder and those in it.

    Raises:
        BadServer: that can't be done, or it can't be written.
        OSError: the disk is full.
    """
    try:
        with full_disk.naming(folder):
            # Others of this machine have no business in it.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in (ROUNDS, FILES, TEMPORARY):
                (folder / name).mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_mode & 0o022:
                raise PermissionError(errno.EPERM, "others may write it")
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as problem:
        if full_disk.no_room(problem):
            raise
        raise BadServer(
            f"'{printable(str(folder), 300)}' can't be the server's folder: {problem.strerror}; "
            "allowed: a folder that this user may write and nobody else, or the name of a new one; "
            "name another, or chmod 700"
        ) from None


def _empty(folder: Path) -> None:
    """Forget uploads of which no end came."""
    shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
