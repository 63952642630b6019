"""What a request has to be before anything of it is read: for this host, not one too many, and no
larger than its route takes. Pure ASGI, between the headers and the routes."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from starlette.requests import Request

from seedlock.leaderboard.problems import Problem, respond
from seedlock.leaderboard.rate_limits import address, key_of, limits_of, too_many

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from seedlock.leaderboard.configuration import Configuration, Limits

PATIENCE = 60.0
"""Seconds that a visitor may be silent in the middle of a body."""

LARGER: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("POST", re.compile(r"/api/v1/rounds/[^/]+/submissions"), "upload"),
    ("POST", re.compile(r"/api/v1/rounds/[^/]+/signed-records"), "published"),
    ("POST", re.compile(r"/rounds/[^/]+/uploads"), "upload"),
    ("PUT", re.compile(r"/api/v1/rounds/[^/]+/(files|records)/.+"), "published"),
)
"""Method, path and name of the limit of routes that take more than `Limits.body`."""

ENVELOPE = 1 << 16
"""Bytes that a form adds to a file."""


class Entrance:
    """Refuses what must not come in.

    Args:
        app: what is inside.
        configuration: the server's.
        patience: seconds of silence in the middle of a body.
    """

    def __init__(
        self, app: ASGIApp, configuration: Configuration, patience: float = PATIENCE
    ) -> None:
        self.app = app
        self._hosts = configuration.known_hosts
        self._url = configuration.url
        self._limits = configuration.limits
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with what is wrong."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        limit = limit_of(self._limits, request.method, scope["path"])
        problem = self._wrong(request, limit)
        if problem is not None:
            await respond(request, problem)(scope, receive, send)
            return
        await self.app(scope, _counted(receive, limit, self._patience), send)

    def _wrong(self, request: Request, limit: int) -> Problem | None:
        wait = limits_of(request).address.take(key_of(address(request)))
        if wait:
            return too_many(wait)
        host = request.headers.get("host", "")
        if host.lower() not in self._hosts:
            return Problem(421, "this server has another name", given=host, allowed=self._url)
        said = request.headers.get("content-length", "0")
        if not said.isascii() or not said.isdecimal() or len(said) > 18:
            return Problem(400, "the length of the body is no number", given=said)
        return too_large(limit, said) if int(said) > limit else None


def limit_of(limits: Limits, method: str, path: str) -> int:
    """Return how many bytes the body of a request may have."""
    for name, pattern, kind in LARGER:
        if method == name and pattern.fullmatch(path):
            return int(getattr(limits, kind)) + ENVELOPE
    return limits.body


def too_large(limit: int, given: str = "") -> Problem:
    """Return the answer to a body of more than `limit` bytes."""
    return Problem(
        413, "the body is too large", given=f"{given} bytes" if given else None,
        allowed=f"{limit} bytes", headers={"Connection": "close"},
    )  # fmt: skip


def _counted(receive: Receive, limit: int, patience: float) -> Receive:
    """Return the same body, which ends by a Problem where it grows too large or stays out: what
    comes in chunks has no length that could be looked at before."""
    seen, more = 0, True

    async def receiving() -> Message:
        nonlocal seen, more
        if not more:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), patience)
        except asyncio.TimeoutError:
            raise Problem(
                408, "the body did not come", allowed=f"{patience:g} s between its parts",
                headers={"Connection": "close"},
            ) from None  # fmt: skip
        seen += len(message.get("body", b""))
        more = message.get("more_body", False)
        if seen > limit:
            raise too_large(limit)
        return message

    return receiving
