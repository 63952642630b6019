"""What a server shows everybody of a round, as a round's folder: the source of an export."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

from seedlock.errors import printable
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.leaderboard import export_layout, publication
from seedlock.leaderboard.board_errors import BoardRefused
from seedlock.leaderboard.export_layout import RUNS

if TYPE_CHECKING:
    from pathlib import Path

    from seedlock.leaderboard.client import Client

LARGEST = 1 << 30
"""Bytes of a file that a server says it has: more is no file of a round."""


def fetch(server: Client, name: str, folder: Path, records: bool) -> dict[str, Any]:
    """Write a round's published files into a folder; return its standings as the server has them.

    Nothing here is believed: an export verifies files and records against one another, and
    computes the standings anew from the values.

    Args:
        server: asked without a token, so that only what everybody sees can be in it.
        name: the round's.
        folder: empty.
        records: with the records of public submissions, once the round is revealed.

    Raises:
        BoardRefused: there is no such round, a file is not for everybody, or not what was told.
        BoardUnavailable: the server does not answer.
        BadRound: a file of the round can't be read.
        OSError: a file can't be written.
    """
    for each in server.get("rounds", name)["files"]:
        if not publication.known_name(each["name"]) or each["size"] > LARGEST:
            raise BoardRefused(
                f"the server names a file {printable(str(each['name']), 60)} of {each['size']} "
                "bytes; allowed: the documents of a round; nothing was written"
            )
        raw = _bytes(server, "rounds", name, "files", each["name"])
        if hashlib.sha256(raw).hexdigest() != each["sha256"]:
            raise BoardRefused(
                f"{each['name']} is not the file that the server lists, as where it was published "
                "anew meanwhile; allowed: the listed one; say it again"
            )
        (folder / each["name"]).write_bytes(raw)
    standings: dict[str, Any] = server.get("rounds", name, "standings")
    for each in export_layout.named_records(Round(folder)) if records else ():
        submission, _, file = each.partition("/")
        path = folder / RUNS / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(server, "rounds", name, "records", submission, file))
    return standings


def _bytes(server: Client, *parts: str) -> bytes:
    into = io.BytesIO()
    server.fetch(*parts, into=into, advanced=lambda _: None)
    return into.getvalue()
