"""What a leaderboard's server answered, as JSON that says so where it is not a leaderboard's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.leaderboard.board_errors import BoardRefused, BoardUnavailable

if TYPE_CHECKING:
    import requests

LARGEST = 256 << 20
"""Bytes that are read at all of a JSON answer."""


class Told(dict[str, Any]):
    """An object in an answer. What it lacks another kind of server answered, or another release.

    Raises:
        BoardUnavailable: a name is asked for that is not there.
    """

    def __missing__(self, name: str) -> Any:
        there = ", ".join(printable(each, 40) for each in list(self)[:5]) or "nothing"
        raise BoardUnavailable(
            f"the server's answer holds {there}, but no {name}, which a leaderboard's server of "
            "this release would tell; allowed: the address of one; mend --server"
        )


def content_of(answer: requests.Response) -> Told:
    """Return what an answer holds.

    Raises:
        BoardUnavailable: it is not as a leaderboard's server answers.
        BoardRefused: it is a refusal; with what the server says.
    """
    try:
        fits = len(answer.content) <= LARGEST
        content = answer.json(object_hook=Told) if fits else None
    except (ValueError, RecursionError):
        content = None
    if answer.status_code < 300 and isinstance(content, Told):
        return content
    if not isinstance(content, Told) or "detail" not in content:
        raise BoardUnavailable(
            f"{printable(answer.url, 200)} answered {answer.status_code}, not as a leaderboard's "
            "server does; allowed: the address of one; mend --server"
        )
    errors = content.get("errors")
    said = [printable(str(content["detail"]), 600)]
    said += [printable(str(each), 200) for each in (errors if isinstance(errors, list) else ())]
    told = "; ".join(said)
    if content.get("given"):
        told += f"; given: {printable(str(content['given']), 200)}"
    if content.get("allowed"):
        told += f"; allowed: {printable(str(content['allowed']), 300)}"
    if content.get("cure"):
        told += f"; {printable(str(content['cure']), 300)}"
    raise BoardRefused(told)
