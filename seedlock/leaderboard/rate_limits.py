"""How often one visitor may ask: token buckets in memory, by address and by token.

A bucket holds `burst` requests and is filled by `rate` of them per second. IPv6 counts by /64,
which is what one customer gets (RFC 6177). Memory is bounded; the bucket that was not asked for
longest is forgotten first, and is full when it comes again.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, cast

from starlette.requests import Request

from seedlock.leaderboard.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedlock.leaderboard.configuration import Limits

KEPT = 20_000
"""Buckets of one kind."""


class Buckets:
    """The buckets of one kind of requests.

    Args:
        rate: requests per second that one key may go on making; 0: any number.
        burst: requests at once.
        clock: seconds; may jump.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str) -> float:
        """Take one request out of a bucket; return 0, or the seconds until there is one."""
        if not self._rate:
            return 0.0
        moment = self._clock()
        with self._lock:
            left, before = self._held.pop(key, (self._burst, moment))
            left = min(self._burst, left + max(0.0, moment - before) * self._rate)
            good = left >= 1.0
            self._held[key] = (left - 1.0 if good else left, moment)
            if len(self._held) > KEPT:
                self._held.popitem(last=False)
        return 0.0 if good else (1.0 - left) / self._rate

    def demand(self, key: str) -> None:
        """Take one request out of a bucket.

        Raises:
            Problem: 429, it is empty.
        """
        wait = self.take(key)
        if wait:
            raise too_many(wait)


class RateLimits:
    """All kinds: any request by `address` and by `token`, signing in, and what costs the server
    much, as checking a whole round.

    Args:
        limits: the server's.
        clock: seconds.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.address = Buckets(limits.rate, limits.burst, clock)
        self.token = Buckets(limits.rate, limits.burst, clock)
        self.sign_in = Buckets(limits.sign_in_rate, limits.sign_in_burst, clock)
        self.costly = Buckets(limits.costly_rate, limits.costly_burst, clock)


def too_many(wait: float) -> Problem:
    """Return the answer to one request too many; `wait` is in seconds."""
    seconds = max(1, ceil(wait))
    return Problem(
        429, "these are too many requests", cure=f"say it again in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )  # fmt: skip


@lru_cache(4096)
def key_of(host: str) -> str:
    """Return what an address counts as."""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ipaddress.AddressValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def address(request: Request) -> str:
    """Return where a request comes from, as the server saw it or a trusted proxy said."""
    return request.client.host if request.client else "unknown"


def limits_of(request: Request) -> RateLimits:
    """Return the server's buckets."""
    return cast("RateLimits", request.app.state.rate_limits)


def signing_in(request: Request) -> None:
    """Let a route sign somebody in; as a dependency.

    Raises:
        Problem: 429.
    """
    limits_of(request).sign_in.demand(key_of(address(request)))


def costly(request: Request) -> None:
    """Let a route do what costs the server seconds; as a dependency.

    Raises:
        Problem: 429.
    """
    limits_of(request).costly.demand(key_of(address(request)))
