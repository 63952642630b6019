"""JSON of which no two readers have different opinions, for all routes of the interface.

Where a name stands twice in one object, Python takes the last and others the first (RFC 8259,
section 4): a proxy that looks at requests would have looked at another one.
"""

from __future__ import annotations

from starlette.requests import Request

from seedlock.evaluation.rounds.canonical import strict
from seedlock.leaderboard.problems import Problem

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


async def required(request: Request) -> None:
    """Refuse a JSON body that is not clear; as a dependency.

    Raises:
        Problem: 400, a name stands twice, it is nested too deep, or holds NaN.
    """
    # Of a route without a model the body is a file, read by the route itself.
    if getattr(request.scope.get("route"), "body_field", None) is None:
        return
    if request.headers.get("content-type", "").startswith(FORMS):
        return
    raw = await request.body()
    try:
        strict(raw or b"null")
    except ValueError as problem:
        raise Problem(
            400, f"the body is no clear JSON: {problem}", allowed="each name once, real numbers",
            cure="send it again without that",
        ) from problem  # fmt: skip
