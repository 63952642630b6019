"""Pages that are the same for everybody who is not signed in, kept as bytes until they change."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from fastapi.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from starlette.requests import Request

MOST = 64 << 20
"""Bytes that are kept, of pages as they are and compressed."""

AT_ONCE = 2
"""Pages that are made together; all others wait, and kept ones go on being served."""


@dataclass(frozen=True)
class Kept:
    """A page: its bytes, the same compressed, and a tag that changes with them."""

    body: bytes
    compressed: bytes
    tag: str

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.body) + len(self.compressed)


class PageCache:
    """The pages that were asked for last. A page is made once, however many ask for it together.

    Args:
        most: bytes.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Kept]] = {}
        self._bytes = 0
        self._limiter: anyio.CapacityLimiter | None = None

    async def get(self, key: Hashable, make: Callable[[], str]) -> Kept:
        """Return a page, made in a thread if it is not kept.

        Args:
            key: of everything that it depends on.
            make: returns it, or raises what `get` then raises.
        """
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        task = self._making.get(key)
        if task is None:
            task = asyncio.ensure_future(self._make(key, make))
            self._making[key] = task
        # Who goes away must not end the work for those who wait.
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, make: Callable[[], str]) -> Kept:
        try:
            if self._limiter is None:
                self._limiter = anyio.CapacityLimiter(AT_ONCE)
            found = await anyio.to_thread.run_sync(lambda: pack(make()), limiter=self._limiter)
        finally:
            self._making.pop(key, None)
        self._kept[key] = found
        self._bytes += found.size
        while self._bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.size
        return found


def pack(text: str) -> Kept:
    """Return a page as it is kept."""
    body = text.encode()
    # Without a time in its header, equal pages are compressed to equal bytes.
    compressed = gzip.compress(body, 5, mtime=0)
    return Kept(body, compressed, hashlib.sha256(body).hexdigest()[:32])


def answer(request: Request, kept: Kept) -> Response:
    """Return a kept page to somebody: compressed if the browser takes that, or only word that the
    one it has is still the same (RFC 9110, sections 8.8.3 and 13.1.2)."""
    packed = _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{kept.tag}{"-gzip" if packed else ""}"'
    headers: dict[str, Any] = {
        "ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding, Cookie",
    }  # fmt: skip
    known = [each.strip().removeprefix("W/") for each in
             request.headers.get("if-none-match", "").split(",")]  # fmt: skip
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(
        kept.compressed if packed else kept.body, headers=headers,
        media_type="text/html; charset=utf-8",
    )  # fmt: skip


def _takes_gzip(header: str) -> bool:
    for each in header.lower().split(","):
        coding, _, weight = each.strip().partition(";")
        if coding.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
