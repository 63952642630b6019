"""A round's board as a folder of files that outlives the server and verifies itself."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from seedlock.errors import BadExport, BadRound, printable
from seedlock.evaluation import full_disk
from seedlock.evaluation.file_digests import digest_of, listing
from seedlock.evaluation.rounds import verification
from seedlock.evaluation.rounds.canonical import sha256, stamp
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.claims import WRONG
from seedlock.evaluation.rounds.formats import REVEAL
from seedlock.evaluation.scores import standings
from seedlock.leaderboard import (
    board_recount,
    export_layout,
    export_pages,
    export_sums,
    folder_swap,
)
from seedlock.leaderboard.export_layout import BOARD, FILES, FORMAT, RECORDS, RUNS, SUMS, VERSION
from seedlock.leaderboard.rendering import made_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path


def export(
    source: Path, target: Path, at: datetime, records: bool, shown: Mapping[str, Any] | None = None
) -> str:  # fmt: skip
    """Write a round's board into a folder; return the digest of its SHA256SUMS.

    An earlier export there is replaced as a whole, once the new one is on the disk.

    Args:
        source: the round's folder; only what is published of it is copied.
        target: absolute; new, empty, or an earlier export.
        at: the moment that the pages speak of.
        records: with the records of public submissions, once the round is revealed.
        shown: standings that a server shows, from which come the values of those records that
            `source` lacks; None where it has all.

    Raises:
        BadRound: a file of the round is not what it has to be.
        BadExport: `target` holds something else, or a document tells of a private submission what
            nobody may know.
        OSError: a file can't be read or written; what was there is untouched.
    """
    this = Round(source)
    records = records and this.has(REVEAL)
    told = export_layout.told_of_private(this)
    if told:
        raise BadExport(
            f"{printable(told[0], 200)} tells why a private submission's run failed, and "
            f"{len(told) - 1} more do; allowed: names, digests and scores; only ledgers that "
            "seedlock wrote since it has a leaderboard can be exported, or a round without private "
            "submissions"
        )
    board = (
        standings.of_round(source)
        if shown is None
        else board_recount.recount(source, shown, records).standings
    )
    with folder_swap.replacing(target, _is_export) as new:
        for name in export_layout.published(source):
            _copy(source / name, new / FILES / name)
        for name in export_layout.public_records(this) if records else ():
            _copy(source / RUNS / name, new / RECORDS / name)
        about: dict[str, Any] = {
            "format": FORMAT, "version": VERSION, "at": stamp(at), "made_by": made_by(),
            "records": records,
        }  # fmt: skip
        with export_layout.as_round(new) as place:
            _refuse_wrong(place, at)
            content = standings.from_bytes(board.as_bytes()).as_dict()
            for name, raw in export_pages.documents(place, content, about):
                _write(new / name, raw)
        _write(new / BOARD, board.as_bytes())
        plain, _ = export_sums.names(new)
        sums = listing((name, digest_of(new / name).digest) for name in plain)
        _write(new / SUMS, sums)
    return sha256(sums)


def _refuse_wrong(place: Path, at: datetime) -> None:
    for each in verification.verify(place, at, verification.Seen()):
        if each.state == WRONG:
            raise BadRound(
                f"{each.about}: {each.said.replace(f'{place}/', '')}; allowed: a round whose files "
                "hold; seedlock round verify says what was changed"
            )


def _is_export(folder: Path) -> bool:
    try:
        export_layout.about(folder)
    except BadExport:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with full_disk.naming(target):
        shutil.copyfile(source, target)
    _sync(target)


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with full_disk.naming(path):
        path.write_bytes(raw)
    _sync(path)


def _sync(path: Path) -> None:
    with full_disk.naming(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
