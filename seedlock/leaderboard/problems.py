"""Errors: application/problem+json (RFC 9457) for programs, a page for people.

Each says what, given, allowed and cure, as every message of the house. What nobody expected is a
500 that tells the visitor nothing; the log has it.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException

from seedlock.errors import BadRound, DatabaseUnavailable, printable
from seedlock.evaluation.full_disk import no_room, told
from seedlock.leaderboard.headers import SECURITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

API = "/api/"

LOG = logging.getLogger("seedlock.leaderboard")

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(BaseModel):
    """An error as RFC 9457 has it, with the four parts of a message of the house."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    given: str | None = None
    allowed: str | None = None
    cure: str | None = None
    errors: list[str] | None = None


class Problem(HTTPException):
    """An answer that is an error.

    Args:
        status: of HTTP, 400 to 599.
        what: is wrong; one sentence.
        given: what was sent, where that helps; cut to 200 printable characters.
        allowed: what would have been taken.
        cure: what to do.
        headers: further ones of the answer.
        errors: several at once, one a line.
    """

    def __init__(
        self, status: int, what: str, *, given: str | None = None, allowed: str | None = None,
        cure: str | None = None, headers: dict[str, str] | None = None,
        errors: list[str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(status, what, headers)
        self.document = ProblemDocument(
            title=HTTPStatus(status).phrase, status=status, detail=what,
            given=None if given is None else printable(given, 200), allowed=allowed, cure=cure,
            errors=errors,
        )  # fmt: skip


def not_found(what: str = "there is no such page") -> Problem:
    """Return the answer for what is not there, and for what a visitor may not know to be there."""
    return Problem(404, what, cure="look at the address, or sign in if it needs that")


def contradictory() -> Problem:
    """Return the answer where a round's files can't be shown."""
    return Problem(
        503, "the files of this round contradict one another", cure="tell the round's organisers"
    )


def not_signed_in(why: str = "this needs a token") -> Problem:
    """Return the answer for a request without a good token."""
    return Problem(
        401, why, allowed="Authorization: Bearer slk_…, or signed in on the pages",
        cure="ask an organiser for a token", headers={"WWW-Authenticate": "Bearer"},
    )  # fmt: skip


def not_allowed(allowed: str) -> Problem:
    """Return the answer for what somebody else may do."""
    return Problem(403, "your token does not allow this", allowed=allowed,
                   cure="ask an organiser for a token that does")  # fmt: skip


_RESPONSE = {
    "description": "an error: what, given, allowed, cure (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": ProblemDocument, **_RESPONSE},
    **dict.fromkeys((401, 403, 404, 409, 413, 415, 422, 429, 500, 503, 507), _RESPONSE),
}
"""For the OpenAPI document of each route."""


def respond(request: Request, problem: Problem) -> Response:
    """Return an error in the form that its reader takes."""
    if request.scope["path"].startswith(API):
        content = problem.document.model_dump(exclude_none=True)
        return JSONResponse(content, problem.status_code, problem.headers, MEDIA_TYPE)
    shown: Response = request.app.state.error_page(
        request, "error.html", problem.status_code, problem=problem.document
    )
    shown.headers.update(problem.headers or {})
    return shown


def _http(request: Request, problem: Exception) -> Response:
    if isinstance(problem, Problem):
        return respond(request, problem)
    assert isinstance(problem, StarletteHTTPException)
    if problem.status_code == 404:
        return respond(request, not_found())
    headers = dict(problem.headers or {})
    return respond(request, Problem(problem.status_code, str(problem.detail), headers=headers))


def _invalid(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    # What was sent is not repeated: it may be large, or somebody's secret in a wrong place.
    errors = [f"{'.'.join(printable(str(each), 60) for each in one['loc'])}: "
              f"{printable(one['msg'], 200)}" for one in problem.errors()[:20]]  # fmt: skip
    wrong = Problem(422, "the request is not as it has to be", errors=errors,
                   cure="see /api/v1/openapi.json")  # fmt: skip
    return respond(request, wrong)


def _unavailable(request: Request, problem: Exception) -> Response:
    LOG.error("%s", problem)
    what = "the database does not answer"
    return respond(
        request, Problem(503, what, cure="say it again later", headers={"Retry-After": "10"})
    )


def _unreadable(request: Request, problem: Exception) -> Response:
    """What a visitor sends is answered where it is looked at; this is about published files."""
    LOG.error("%s", problem)
    return respond(request, contradictory())


def _system(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, OSError)
    if not no_room(problem):
        raise problem
    LOG.error("%s", told(problem))
    return respond(
        request, Problem(507, "the server's disk is full", cure="tell its organisers, and send it "
                         "again when there is room"),
    )  # fmt: skip


def _unexpected(request: Request, _problem: Exception) -> Response:
    what = "something went wrong in the server"
    answer = respond(request, Problem(500, what, cure="tell the organisers when it was"))
    # This one is made outside of what adds them to all others.
    answer.headers.update(SECURITY)
    return answer


def add(app: FastAPI, page: Callable[..., Response]) -> None:
    """Answer errors in this way; `page` is the function that shows a template."""
    app.state.error_page = page
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DatabaseUnavailable, _unavailable)
    app.add_exception_handler(BadRound, _unreadable)
    app.add_exception_handler(OSError, _system)
    app.add_exception_handler(Exception, _unexpected)
