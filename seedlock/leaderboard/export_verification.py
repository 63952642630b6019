"""Is an exported board what its round proves? From its files alone, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedlock.errors import BadRound
from seedlock.evaluation.rounds import verification
from seedlock.evaluation.rounds.canonical import sha256
from seedlock.evaluation.rounds.ceremony import Round
from seedlock.evaluation.rounds.claims import IF, PROVEN, WRONG, Finding
from seedlock.evaluation.scores import standings
from seedlock.leaderboard import board_recount, export_layout, export_pages, export_sums
from seedlock.leaderboard.export_layout import BOARD, FILES, RECORDS, RUNS, SUMS
from seedlock.leaderboard.rendering import made_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from seedlock.evaluation.rounds.verification import Seen

SHOWN = 5
"""Differences of two boards that are named."""


def verify(
    folder: Path, at: datetime, seen: Seen, noted: str | None = None
) -> list[Finding]:  # fmt: skip
    """Return what was found about an exported board.

    Args:
        folder: the export's.
        at: now, against which the date of the void rule is held.
        seen: what was noted of the round in time.
        noted: digest of SHA256SUMS that somebody noted, or None.

    Raises:
        BadExport: it is none.
        OSError: a file can't be read.
    """
    about = export_layout.about(folder)
    found = export_sums.check(folder)
    if noted is not None and (folder / SUMS).is_file():
        same = sha256((folder / SUMS).read_bytes()) == noted
        said = "is the one that was noted" if same else "is not the one that was noted"
        found.append(Finding(export_sums.ABOUT, PROVEN if same else WRONG, f"{SUMS} {said}"))
    with export_layout.as_round(folder) as place:
        try:
            found += verification.verify(place, at, seen)
            board, more = _board(folder, place, about)
            found += more
            found += _named(folder, place, about)
            if board is not None:
                found += _records(folder, about, board)
                found += _pages(folder, place, about, board)
        except BadRound as problem:
            # Its temporary folder's name tells nobody anything.
            found.append(Finding("round", WRONG, str(problem).replace(f"{place}/", "")))
    return found


def _board(
    folder: Path, place: Path, about: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return the board and whether it follows from ledger and records; None if it is no board."""
    path = folder / BOARD
    raw = path.read_bytes() if path.is_file() else b""
    try:
        given = standings.from_bytes(raw)
        found = board_recount.recount(place, given.as_dict(), about["records"])
    except (BadRound, KeyError, TypeError, ValueError, AttributeError) as problem:
        said = str(problem) if isinstance(problem, BadRound) else "it has another form"
        return None, [Finding("board", WRONG, f"{BOARD}: {said.replace(f'{place}/', '')}")]
    board = given.as_dict()
    anew = found.standings
    if raw != anew.as_bytes():
        where = board_recount.differences(board, standings.from_bytes(anew.as_bytes()).as_dict())
        said = f"{BOARD} is not what follows from ledger and records"
        names = [*where[:SHOWN], *(["…"] if len(where) > SHOWN else [])] or ["its spelling"]
        return board, [Finding("board", WRONG, f"{said}: {', '.join(names)}")]
    count = len(board["submissions"])
    said = f"the numbers of {count} submissions follow from their runs' values"
    told = [Finding("board", PROVEN, said)]
    if found.by_word:
        runs = sum(found.by_word.values())
        said = (
            f"the values of {runs} runs of {len(found.by_word)} submissions are the organiser's "
            "word: their records are not here"
        )
        if all(each["visibility"] != "public" for each in board["submissions"]
               if each["name"] in found.by_word):  # fmt: skip
            said += ", being private; the ledger has the digests"
        told.append(Finding("board", IF, said))
    return board, told


def _named(folder: Path, place: Path, about: Mapping[str, Any]) -> list[Finding]:
    """Return which documents and records are no part of the round's export."""
    plain, _ = export_sums.names(folder)
    allowed = {f"{FILES}/{name}" for name in export_layout.published(folder / FILES)}
    this = Round(place)
    if about["records"]:
        allowed |= {f"{RECORDS}/{name}" for name in export_layout.public_records(this)}
    kept = (f"{FILES}/", f"{RECORDS}/")
    strangers = [each for each in plain if each.startswith(kept) and each not in allowed]
    told = [f"{each}: the round names no such file" for each in strangers]
    told += [f"{each}: it tells more of a private submission than name, digest and scores"
             for each in export_layout.told_of_private(this)]  # fmt: skip
    return [Finding(export_sums.ABOUT, WRONG, each) for each in told]


def _records(
    folder: Path, about: Mapping[str, Any], board: Mapping[str, Any]
) -> list[Finding]:  # fmt: skip
    """Return which records are missing of which the board has values."""
    paths = [
        f"{RECORDS}/{run['record'].removeprefix(f'{RUNS}/')}"
        for each in board["submissions"] if about["records"] and each["visibility"] == "public"
        for run in each["runs"] if run["record"] and not run["problem"]
    ]  # fmt: skip
    return [
        Finding("records", WRONG, f"{path} is missing, and the board has its values")
        for path in paths if not (folder / path).is_file()
    ]  # fmt: skip


def _pages(
    folder: Path, place: Path, about: Mapping[str, Any], board: Mapping[str, Any]
) -> list[Finding]:
    """Return whether the pages are those of the board, made anew."""
    plain, _ = export_sums.names(folder)
    kept = (f"{FILES}/", f"{RECORDS}/")
    there = {each for each in plain if not each.startswith(kept) and each != SUMS}
    if about["made_by"] != made_by():
        said = f"they were made by {about['made_by']}, and this is {made_by()}"
        rest = f"that the pages show the board rests on {SUMS}"
        return [Finding("pages", IF, f"{rest}: {said}")]
    wrong = []
    made = set()
    for name, raw in export_pages.documents(place, board, about):
        made.add(name)
        if name in there and (folder / name).read_bytes() != raw:
            wrong.append(f"{name} is not what is made of the board and the round")
    wrong += [f"{name} is missing" for name in sorted(made - there)]
    wrong += [f"{name} is no file of an export" for name in sorted(there - made)]
    if wrong:
        return [Finding("pages", WRONG, each) for each in wrong]
    return [Finding("pages", PROVEN, f"{len(made)} pages and tables, made anew, are the same")]
